package import MySQLControl
package import MySQLWire

extension ReplicationSource {
    /// How our own connections to the source are encrypted: as replication's will be, so that what it would be refused is
    /// refused us, and what it would get through gets us through.
    package var connectionTLS: MySQLConnection.TLSMode {
        guard let tls else { return .disabled }
        var settings = MySQLConnection.TLSSettings()
        (settings.authorities, settings.certificate, settings.key) = (tls.authorities, tls.certificate, tls.key)
        settings.verification =
            tls.verifiesIdentity ? .identity : tls.authorities.isEmpty ? .none : .certificateAuthority
        return .required(settings)
    }
}
