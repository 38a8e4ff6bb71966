import Glibc
import Host
import MySQLControl
import SystemPackage
import TestKit
import Testing

/// Whose a tablet's folder is: a later pass must find what dead ones left, and nothing else.
@Suite("claims on tablets' folders")
struct TabletClaimTests {
    private func withRoot(_ body: (FilePath) throws -> Void) throws {
        let root = FilePath("/var/tmp/claim-tests-\(UInt64.random(in: 0..<UInt64.max))")
        try FileTree.createDirectory(root, parents: true)
        defer { try? FileTree.remove(root) }
        try body(root)
    }

    private func abandoned(in root: FilePath) throws -> [String] {
        let claims = try TabletClaim.abandoned(in: root)
        defer { for claim in claims { claim.leave() } }
        return claims.compactMap { $0.directory.path.lastComponent?.string }
    }

    @Test("a claim is nobody else's until it is left")
    func claimed() throws {
        try withRoot { root in
            let claim = try TabletClaim.make(TabletDirectory(dataRoot: root, uid: 7), owner: nil)
            #expect(try abandoned(in: root) == [])
            claim.leave()
            #expect(try abandoned(in: root) == ["vt_0000000007"])
            #expect(throws: FileError.self) {
                _ = try TabletClaim.make(TabletDirectory(dataRoot: root, uid: 7), owner: nil)
            }
        }
    }

    /// What a pass that is killed leaves at each step of making and removing a folder.
    private func leaveUnfinished(_ step: String, in root: FilePath) throws -> FilePath {
        let folder = root.appending("vt_0000000008.unfinished")
        try FileTree.createDirectory(folder, parents: false)
        if step == "draft" { try FileTree.write([], to: folder.appending("vtbackup.lock.new")) }
        if step == "marker" {
            let boot = try FileTree.read("/proc/sys/kernel/random/boot_id", limit: 64) ?? []
            try FileTree.write(boot, to: folder.appending("vtbackup.lock"))
        }
        return folder
    }

    private func age(_ path: FilePath) {
        var times = [timeval(tv_sec: time(nil) - 120, tv_usec: 0), timeval(tv_sec: time(nil) - 120, tv_usec: 0)]
        #expect(utimes(path.string, &times) == 0)
    }

    @Test("what a pass left that was killed while it made its folder goes later", arguments: ["empty", "draft"])
    func unfinished(step: String) throws {
        try withRoot { root in
            let folder = try leaveUnfinished(step, in: root)
            #expect(try abandoned(in: root) == [], "it may be being made right now")
            if step == "draft" { age(folder.appending("vtbackup.lock.new")) }
            age(folder)
            let claim = try #require(try TabletClaim.abandoned(in: root).first)
            #expect(try abandoned(in: root) == [], "it is the first one's now")
            try claim.remove()
            #expect(try FileTree.list(root) == [])
        }
    }

    @Test("a marked folder under such a name goes at once, unless its maker lives")
    func unfinishedMarked() throws {
        try withRoot { root in
            let folder = try leaveUnfinished("marker", in: root)
            let maker = try FileDescriptor.open(folder.appending("vtbackup.lock"), .readWrite)
            #expect(flock(maker.rawValue, LOCK_EX | LOCK_NB) == 0)
            age(folder)
            #expect(try abandoned(in: root) == [])
            try maker.close()
            try #require(try TabletClaim.abandoned(in: root).first).remove()
            #expect(try FileTree.list(root) == [])
        }
    }

    /// As it would be seen by a process that is killed there: what a failing call leaves, but without the clearing up.
    @Test("at no step of making or removing does the folder have its own name and no marker")
    func markedThroughout() async throws {
        try await withTemporaryFolder { root in
            let directory = TabletDirectory(dataRoot: root, uid: 7)
            for call in SystemFaults.Call.allCases {
                for nth in 1...6 {
                    await SystemFaults.with(below: root) { faults in
                        faults.add(call, nth: nth, .error(.ioError))
                        // Whatever clears up fails too, as if nobody were there to do it.
                        if call != .unlink { faults.add(.unlink, nth: 0, .error(.ioError)) }
                        if let claim = try? TabletClaim.make(directory, owner: nil) {
                            try? claim.remove()
                            claim.leave()
                        }
                    }
                    let names = try FileTree.list(root) ?? []
                    if names.contains("vt_0000000007") {
                        #expect(
                            try FileTree.list(directory.path)?.contains("vtbackup.lock") == true,
                            "\(call) \(nth)"
                        )
                    }
                    for name in names { try FileTree.remove(root.appending(name)) }
                }
            }
        }
    }

    @Test("a folder that is there is nobody's to take, also an empty one")
    func existing() throws {
        try withRoot { root in
            let directory = TabletDirectory(dataRoot: root, uid: 7)
            try FileTree.createDirectory(directory.path, parents: false)
            let error = #expect(throws: FileError.self) { _ = try TabletClaim.make(directory, owner: nil) }
            #expect(error?.errno == .fileExists)
            #expect(try FileTree.list(root) == ["vt_0000000007"])
        }
    }

    /// Found by the simulated campaign, seed 306.
    @Test(
        "a claim that fails half way leaves nothing",
        arguments: [SystemFaults.Call.mkdir, .open, .write, .rename, .place]
    )
    func halfWay(call: SystemFaults.Call) async throws {
        try await withTemporaryFolder { root in
            await SystemFaults.with(below: root) { faults in
                faults.add(call, nth: 1, .error(.ioError))
                let directory = TabletDirectory(dataRoot: root, uid: 7)
                #expect(throws: FileError.self) { _ = try TabletClaim.make(directory, owner: nil) }
                #expect(faults.hits == 1)
            }
            let left = try FileTree.list(root)
            #expect(left == [])
        }
    }

    @Test("a folder that cannot be looked into keeps no other from being found")
    func unreadable() async throws {
        try await withTemporaryFolder { root in
            for uid: UInt32 in [7, 8] {
                try TabletClaim.make(TabletDirectory(dataRoot: root, uid: uid), owner: nil).leave()
            }
            let found = try await SystemFaults.with(below: root.appending("vt_0000000007")) { faults in
                faults.add(.stat, nth: 1, .error(.ioError))
                return try abandoned(in: root)
            }
            #expect(found == ["vt_0000000008"])
        }
    }

    @Test("a pipe, socket or link in the place of a marker makes nobody wait, and is none", .timeLimit(.minutes(5)))
    func plantedMarker() throws {
        try withRoot { root in
            let mine = root.appending("mine")
            try FileTree.write([], to: mine)
            for (number, plant) in [
                { mkfifo($0, 0o600) }, { mknod($0, S_IFSOCK | 0o600, 0) }, { symlink(mine.string, $0) },
            ].enumerated() as EnumeratedSequence<[(String) -> Int32]> {
                let folder = root.appending("vt_000000000\(number)")
                try FileTree.createDirectory(folder, parents: false)
                #expect(plant(folder.appending("vtbackup.lock").string) == 0)
            }
            #expect(try abandoned(in: root) == [])
        }
    }

    @Test("folders without a marker, of other names and behind links are somebody else's")
    func foreign() throws {
        try withRoot { root in
            for name in ["vt_0000000001", "vt_x", "other"] {
                try FileTree.createDirectory(root.appending(name), parents: false)
            }
            let elsewhere = root.appending("elsewhere")
            try FileTree.createDirectory(elsewhere, parents: false)
            for folder in [root.appending("vt_x"), root.appending("other"), elsewhere] {
                try FileTree.write([], to: folder.appending("vtbackup.lock"))
            }
            try FileTree.link(root.appending("vt_0000000002"), to: elsewhere)
            #expect(try abandoned(in: root) == [])
        }
    }
}
