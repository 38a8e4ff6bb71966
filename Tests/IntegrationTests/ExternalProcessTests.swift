import Host
import NIOCore
import Processes
import TestKit
import Testing

/// Real children of ours that misbehave in every way.
@Suite("external commands as processes", .timeLimit(.minutes(60)))
struct ExternalProcessTests {
    private let messages = LockedBox<[String]>([])

    /// Runs a shell script on `pieces` of 64 KiB; returns how many bytes came out.
    private func run(_ script: String, pieces: Int = 4, stallLimit: Duration = .seconds(20)) async throws -> Int {
        let (left, output) = (LockedBox(pieces), LockedBox(0))
        let messages = messages
        let command = try ExternalCommand("sh -c '\(script)'")
        try await ExternalProcess(command, stallLimit: stallLimit) { line in
            messages.update { $0.append(line) }
        }.run {
            guard
                left.update({ left in
                    left -= 1
                    return left >= 0
                })
            else { return nil }
            return ByteBuffer(repeating: 7, count: 65_536)
        } output: { piece in
            output.update { $0 += piece.readableBytes }
        }
        return output.get()
    }

    private func failure(_ script: String, pieces: Int = 4, stallLimit: Duration = .seconds(20)) async -> String {
        let error = await #expect(throws: ProcessError.self) {
            _ = try await run(script, pieces: pieces, stallLimit: stallLimit)
        }
        #expect(error?.code == .failed)
        #expect(error?.message.contains("\"sh -c '\(script)'\"") == true)
        return error?.message ?? ""
    }

    @Test("bytes go in and come out, messages are noted line by line")
    func passes() async throws {
        #expect(try await run("echo one >&2; echo two >&2; cat", pieces: 40) == 40 * 65_536)
        #expect(messages.get() == ["one", "two"])
        #expect(try await run("cat", pieces: 0) == 0)
    }

    @Test("the exit status and the signal are named")
    func exits() async throws {
        #expect(await failure("cat >/dev/null; echo broken >&2; exit 3").contains("exited with status 3"))
        #expect(messages.get() == ["broken"])
        #expect(await failure("kill -9 $$").contains("was ended by signal"))
        #expect(await failure("exit 4", pieces: 100).contains("exited with status 4"))
    }

    @Test("success without having read everything is none")
    func endsEarly() async throws {
        #expect(await failure("head -c 10", pieces: 100).contains("ended before it had read all of its input"))
    }

    @Test("a program that is not there is named")
    func missing() async throws {
        let command = try ExternalCommand("no-such-compressor -1")
        let error = await #expect(throws: ProcessError.self) {
            try await ExternalProcess(command) { _ in }.run {
                nil
            } output: { _ in
            }
        }
        #expect(error?.message.contains("\"no-such-compressor -1\" cannot be run") == true)
    }

    @Test("a child that does nothing is killed, whether it does not read or does not end")
    func stalled() async throws {
        for script in ["sleep 1000", "cat >/dev/null; sleep 1000", "exec 1>&-; sleep 1000"] {
            let message = await failure(script, pieces: 100, stallLimit: .milliseconds(200))
            #expect(message.contains("has done nothing for 0.2 seconds"), "\(script)")
        }
        let message = await failure("exec 1>&- 2>&-; sleep 1000", stallLimit: .milliseconds(200))
        #expect(message.contains("did not end for 0.2 seconds"))
    }

    /// Long enough for a child that works on a machine that is busy with other tests.
    private static let stallLimit = Duration.seconds(10)

    @Test("a slow source or store is not the child's fault")
    func slowNeighbours() async throws {
        let (left, output) = (LockedBox(1), LockedBox(0))
        try await ExternalProcess(try ExternalCommand("cat"), stallLimit: Self.stallLimit) { _ in }.run {
            try await Task.sleep(for: Self.stallLimit * 1.2)
            guard
                left.update({ left in
                    left -= 1
                    return left >= 0
                })
            else { return nil }
            return ByteBuffer(repeating: 7, count: 1000)
        } output: { piece in
            try await Task.sleep(for: Self.stallLimit * 1.2)
            output.update { $0 += piece.readableBytes }
        }
        #expect(output.get() == 1000)
    }

    private struct Full: Error {}

    /// Gives everything back and does not end by itself.
    private static let endless = "sh -c 'cat; sleep 1000'"

    @Test("an error of the store ends the child at once")
    func storeFails() async throws {
        await #expect(throws: Full.self) {
            try await ExternalProcess(try ExternalCommand(Self.endless)) { _ in }.run {
                ByteBuffer(repeating: 7, count: 65_536)
            } output: { _ in
                throw Full()
            }
        }
    }

    @Test("an error of the source ends the child at once")
    func sourceFails() async throws {
        await #expect(throws: Full.self) {
            try await ExternalProcess(try ExternalCommand(Self.endless)) { _ in }.run {
                throw Full()
            } output: { _ in
            }
        }
    }

    @Test("cancellation ends the child at once")
    func cancelled() async throws {
        let started = LockedBox(false)
        let task = Task {
            try await ExternalProcess(try ExternalCommand(Self.endless)) { _ in }.run {
                started.set(true)
                return nil
            } output: { _ in
            }
        }
        while !started.get() { await pauseBetweenLooks() }
        task.cancel()
        await #expect(throws: (any Error).self) { try await task.value }
    }
}
