//! TLS: from files, by ACME, or not at all.

use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};

use super::World;

#[test]
fn half_a_configuration_is_refused() {
    for (given, missing) in [
        ("tls-certificate=chain.pem", "tls.key"),
        ("tls-key=key.pem", "tls.certificate"),
        ("acme-contact=admin@a.example", "acme.domains"),
        ("acme-ca=ca.pem", "acme.domains"),
    ] {
        let refusal = World::new().flag(&format!("--{given}")).refusal();
        let says = format!("is set without {missing}: set both, or neither");
        assert!(refusal.ends_with(&says), "{refusal}");
    }
}

#[test]
fn files_and_acme_exclude_each_other() {
    let world = World::new()
        .file("[tls]\ncertificate = 'chain.pem'\nkey = 'key.pem'")
        .flag("--acme-domains=a.example");
    let refusal = world.refusal();
    assert!(refusal.contains("tls.certificate (chain.pem, file "), "{refusal}");
    assert!(refusal.contains("must be set without acme.domains (a.example, flag"), "{refusal}");
}

#[test]
fn names_are_those_that_an_authority_can_prove() {
    for usable in ["a.example", "Signal.Example.org,xn--bcher-kva.example"] {
        let world = World::new().flag(&format!("--acme-domains={usable}"));
        let domains = world.load().unwrap().settings.acme.domains;
        assert_eq!(domains.to_string(), usable.to_lowercase());
    }
    for unusable in
        ["*.example", "192.0.2.1", "::1", "a..example", "-a.example", "a_b.example", "localhost"]
    {
        let refusal = World::new().flag(&format!("--acme-domains={unusable}")).refusal();
        assert!(refusal.contains("each must be a full domain name such as"), "{refusal}");
    }
}

#[test]
fn a_contact_is_an_address_for_mail() {
    let world = |contact: &str| {
        World::new().flag("--acme-domains=a.example").flag(&format!("--acme-contact={contact}"))
    };
    for usable in ["admin@a.example", "mailto:admin@a.example"] {
        let contact = world(usable).load().unwrap().settings.acme.contact.unwrap();
        assert_eq!(contact.to_uri(), "mailto:admin@a.example");
    }
    for unusable in ["admin", "@a.example", "admin@", "a b@a.example", "a@a.example,b@a.example"] {
        let refusal = world(unusable).refusal();
        assert!(refusal.contains("must be a mail address"), "{refusal}");
    }
}

#[test]
fn an_authority_is_reached_over_https() {
    for unusable in ["http://ca.example", "ca.example", "https://", "https:///dir"] {
        let world = World::new().flag(&format!("--acme-directory={unusable}"));
        assert!(world.refusal().contains("must be a URL that begins with https://"));
    }
}

#[test]
fn the_certificate_of_an_authority_is_worth_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = (folder.path().join("own.pem"), folder.path().join("key.pem"));
    let world = World::new()
        .flag(&format!("--tls-certificate={}", certificate.display()))
        .flag(&format!("--tls-key={}", key.display()));
    for (is_ca, warns) in [
        (IsCa::Ca(BasicConstraints::Unconstrained), true),
        (IsCa::ExplicitNoCa, false),
        (IsCa::NoCa, false),
    ] {
        let mut own = CertificateParams::new(["a.example".to_owned()]).unwrap();
        own.is_ca = is_ca;
        let own = own.self_signed(&KeyPair::generate().unwrap()).unwrap();
        std::fs::write(&certificate, own.pem()).unwrap();
        let warnings = world.load().unwrap().warnings;
        assert_eq!(warnings.iter().any(|warning| warning.contains("CA:TRUE")), warns);
    }
}
