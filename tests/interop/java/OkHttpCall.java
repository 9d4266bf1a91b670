import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.Response;
import okhttp3.WebSocket;
import okhttp3.WebSocketListener;

/**
 * The Android client's stack: OkHttp with a ping every 8 seconds. A callee registers, says nothing for a while, and is
 * then called by a second client: {@code java OkHttpCall ws://127.0.0.1:PORT/signal SECONDS}. Every message is printed,
 * behind the word "client" or "server".
 */
public final class OkHttpCall {
    private static final long PING_SECONDS = 8;
    private static final long ANSWER_SECONDS_MAX = 5;

    public static void main(String[] arguments) throws Exception {
        String url = arguments[0];
        long idleSeconds = Long.parseLong(arguments[1]);
        Phone bob = new Phone(url, "bob");
        bob.stayIdle(idleSeconds);
        Phone alice = new Phone(url, "alice");
        call(alice, bob);
        alice.hangUp();
        bob.hangUp();
        System.out.println("idle for " + idleSeconds + " s, then one call from offer to end");
    }

    private static void call(Phone alice, Phone bob) throws Exception {
        alice.send("CALL_INITIATE", "targetId", "bob", "sdpOffer", "v=0 offer");
        String incoming = bob.expect("INCOMING_CALL", "callerId", "alice", "sdpOffer", "v=0 offer");
        String callId = field(incoming, "callId");
        bob.send("CALL_ACCEPT", "callId", callId, "sdpAnswer", "v=0 answer");
        alice.expect("CALL_ACCEPTED", "callId", callId, "sdpAnswer", "v=0 answer");
        alice.send("ICE_CANDIDATE", "callId", callId, "candidate", "candidate:1");
        bob.expect("ICE_CANDIDATE", "callId", callId, "candidate", "candidate:1");
        bob.send("ICE_CANDIDATE", "callId", callId, "candidate", "candidate:2");
        alice.expect("ICE_CANDIDATE", "callId", callId, "candidate", "candidate:2");
        alice.send("CALL_END", "callId", callId);
        bob.expect("CALL_ENDED", "callId", callId);
    }

    /** The value of a string field; the values in this test need no unescaping. */
    private static String field(String message, String name) {
        Matcher found = Pattern.compile("\"" + name + "\"\\s*:\\s*\"([^\"]*)\"").matcher(message);
        if (!found.find()) {
            throw new AssertionError("no " + name + " in " + message);
        }
        return found.group(1);
    }

    /** One OkHttp client with one registered WebSocket; any failure or close lands in the inbox as text. */
    private static final class Phone extends WebSocketListener {
        private final BlockingQueue<String> inbox = new LinkedBlockingQueue<>();
        private final OkHttpClient client = new OkHttpClient.Builder().pingInterval(PING_SECONDS, TimeUnit.SECONDS).build();
        private final WebSocket socket;

        Phone(String url, String clientId) throws Exception {
            socket = client.newWebSocket(new Request.Builder().url(url).build(), this);
            send("REGISTER", "clientId", clientId);
            expect("REGISTERED", "clientId", clientId);
        }

        void send(String type, String... fields) {
            StringBuilder payload = new StringBuilder();
            for (int index = 0; index < fields.length; index += 2) {
                payload.append(index == 0 ? "" : ",");
                payload.append('"').append(fields[index]).append("\":\"").append(fields[index + 1]).append('"');
            }
            String text = "{\"type\":\"" + type + "\",\"payload\":{" + payload + "}}";
            System.out.println("client " + text);
            if (!socket.send(text)) {
                throw new AssertionError("the socket is closed: " + inbox);
            }
        }

        /** The next message must have this type and these fields. */
        String expect(String type, String... fields) throws Exception {
            String message = inbox.poll(ANSWER_SECONDS_MAX, TimeUnit.SECONDS);
            if (message == null || !field(message, "type").equals(type)) {
                throw new AssertionError("wanted " + type + ", got " + message);
            }
            for (int index = 0; index < fields.length; index += 2) {
                if (!field(message, fields[index]).equals(fields[index + 1])) {
                    throw new AssertionError("wanted " + fields[index + 1] + ", got " + message);
                }
            }
            return message;
        }

        /** Nothing may arrive, and the connection may not end, in this time. */
        void stayIdle(long seconds) throws Exception {
            String message = inbox.poll(seconds, TimeUnit.SECONDS);
            if (message != null) {
                throw new AssertionError("while idle: " + message);
            }
        }

        void hangUp() {
            socket.close(1000, null);
            client.dispatcher().executorService().shutdown();
            client.connectionPool().evictAll();
        }

        @Override
        public void onMessage(WebSocket socket, String text) {
            System.out.println("server " + text);
            inbox.add(text);
        }

        @Override
        public void onClosing(WebSocket socket, int code, String reason) {
            inbox.add("closed with " + code);
        }

        @Override
        public void onFailure(WebSocket socket, Throwable failure, Response response) {
            inbox.add("failed: " + failure + ", " + response);
        }
    }
}
