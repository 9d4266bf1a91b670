# Varnish: /etc/varnish/default.vcl. It speaks no TLS: hitch.conf, beside this file, is in front of it.
# Varnish:    varnishd -a 127.0.0.1:6081,PROXY -f /etc/varnish/default.vcl -s malloc,1m
# The server: securecall --listen 127.0.0.1:8080 --trusted-proxies 127.0.0.1

vcl 4.1;

backend securecall {
    .host = "127.0.0.1";
    .port = "8080";
}

sub vcl_recv {
    # Varnish writes X-Forwarded-For by itself.
    if (req.url == "/signal" && req.http.Upgrade ~ "(?i)^websocket$") {
        return (pipe);
    }
    if (req.url == "/health") {
        return (pass);
    }
    return (synth(404));
}

sub vcl_pipe {
    set bereq.http.Upgrade = req.http.Upgrade;
    set bereq.http.Connection = req.http.Connection;
}
