import Compression
import Engines
import Storage
import Streams
import SystemPackage
import Testing

@testable import Workflows

/// What a failed restore proves of a backup.
@Suite("proof against a backup")
struct VerificationTests {
    private func failure(_ cause: any Error) -> EngineError {
        EngineError(.damagedBackup, "failed to restore files", cause: cause)
    }

    @Test("an object that is missing or does not fit its hash is proof, also with a cause of the store's own")
    func proof() {
        let missing = StorageError(.notFound, "no object 17", cause: FileError("open", "/b/17", .noSuchFileOrDirectory))
        #expect(VerificationRecord.isProof(failure(missing)))
        #expect(VerificationRecord.isProof(failure(EngineError(.damagedBackup, "hash mismatch"))))
        #expect(VerificationRecord.isProof(failure(CompressionError(.corrupt, "bad member"))))
    }

    @Test("the way to an object, our own disk and a command of the operator prove nothing")
    func noProof() {
        #expect(!VerificationRecord.isProof(failure(StorageError(.unavailable, "busy"))))
        #expect(!VerificationRecord.isProof(failure(FileError("read", "/b/17", .ioError))))
        #expect(!VerificationRecord.isProof(failure(FileError("write", "/t/data/x.ibd", .noSpace))))
        #expect(!VerificationRecord.isProof(failure(CompressionError(.external, "size mismatch"))))
        #expect(!VerificationRecord.isProof(failure(CompressionError(.unsupported, "a window of 1 GiB"))))
        #expect(!VerificationRecord.isProof(failure(CompressionError(.failed, "no memory"))))
    }
}
