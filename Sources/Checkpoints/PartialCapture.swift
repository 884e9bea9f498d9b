internal import HDF5
import Synchronization

#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// A capture on its way to a file, which survives the end of the process and can be gone on with.
///
/// The folder `FILE.partial` holds `unfinished.h5`, the final file with all its datasets, whose values are still being
/// filled in, and `journal`, which says what is done. Values are written straight to their places, so that finishing is
/// a rename and nothing is ever stored twice; libhdf5 has closed the file before the first of them. A section of
/// prompts counts when its values and then its line in the journal are on the disk. FILE itself is not touched before
/// the end.
package final class PartialCapture: Sendable {
    /// Where the capture will be.
    package let path: String
    package let layout: CaptureLayout
    /// Prompts that were done when it was opened; 0 for a new one.
    package let resumedPrompts: Int
    /// Prompts that were noted as done, but whose values are not what their digest says; they are done again.
    package let damagedPrompts: Int

    private let folder: String
    private let descriptor: Int32
    private let overwrite: Bool
    private let places: Places
    private let state: Mutex<State>

    private struct State {
        var journal: CaptureJournal?
        var completed: Int
        /// Values written since the last section, by dataset.
        var written: [String: Int] = [:]
    }

    static let dataName = "unfinished.h5"
    static let journalName = "journal"

    /// Opens what an interrupted command of the same identity left, or starts anew.
    ///
    /// - Parameter restart: discards what is there first.
    /// - Throws: `HDF5Error` or `CheckpointError`: the target exists, the disk is too full, what is there was begun by
    ///   another command, is damaged, or is being written by another program.
    package init(
        _ path: String, overwrite: Bool, layout: CaptureLayout, identity: CaptureIdentity, restart: Bool
    ) throws {
        let expectedBytes = try layout.checkedBytes(path)
        let target = try FilePlacement.resolve(path)
        try FilePlacement.checkTarget(target, overwrite: overwrite)
        let folder = Self.folder(for: target)
        let dataPath = "\(folder)/\(Self.dataName)"
        var opened: (CaptureJournal, CaptureLayout, Places, Int32, Int)?
        var locked: CaptureJournal?
        do {
            let journal = try Self.lock(folder, target: target, restart: restart)
            locked = journal
            if let header = journal.header, Self.isWaiting(dataPath) {
                let differences = identity.differences(from: header.identity)
                guard differences.isEmpty else {
                    throw CheckpointError(
                        .inconsistent, file: folder,
                        problem: "it was begun by another command, with other \(differences.joined(separator: ", "))",
                        remedy: "discard it with --restart, or give another file")
                }
                opened = try Self.reopen(journal, layout, folder)
            } else {
                try Self.clear(folder)
                try FilePlacement.checkSpace(folder, target, expectedBytes)
                let file = try FileWriter(dataPath, overwrite: true, expectedBytes: expectedBytes)
                try layout.create(in: file)
                try file.commit { _ in }
                let places = try Places(File(dataPath), layout)
                let descriptor = try Self.openData(dataPath)
                try journal.begin(
                    .init(
                        identity: identity, byteCount: places.byteCount,
                        skeleton: try places.skeleton(descriptor, dataPath)))
                try FilePlacement.flush(folder: folder, of: target)
                opened = (journal, layout, places, descriptor, 0)
            }
        } catch {
            // Where nothing has begun there is nothing to go on with.
            withExtendedLifetime(locked) {
                if let locked, locked.header == nil { Self.remove(folder) }
            }
            throw error
        }
        guard let (journal, layout, places, descriptor, noted) = opened else { preconditionFailure("neither") }
        self.path = target
        self.folder = folder
        self.overwrite = overwrite
        self.layout = layout
        self.places = places
        self.descriptor = descriptor
        let completed = journal.sections.last?.prompts.upperBound ?? 0
        resumedPrompts = completed
        damagedPrompts = noted - completed
        nonisolated(unsafe) let state = State(journal: journal, completed: completed)
        self.state = Mutex(state)
    }

    deinit { _ = close(descriptor) }

    /// `FILE.partial`
    package static func folder(for target: String) -> String { target + ".partial" }

    /// Unfinished captures in a folder that nobody is working on.
    package static func unfinished(in folder: String) -> [String] {
        FilePlacement.names(in: folder).filter {
            $0.hasSuffix(".partial") && CaptureJournal.isWaiting("\(folder)/\($0)/\(journalName)")
        }
    }

    /// The folder that holds what is done so far.
    package var partialPath: String { folder }

    /// Prompts whose values are on the disk, in the folder; 0 once the finished file has its name.
    package var completedPrompts: Int { state.withLock { $0.completed } }

    /// Writes rows `firstRow ..< firstRow + values.count / width` of one site.
    package func write(site: String, firstRow: Int, values: UnsafeBufferPointer<Float>) throws {
        guard let place = places.sites[site], values.count % place.width == 0, firstRow >= 0,
            values.count / place.width <= layout.rows.count - firstRow
        else { throw misfit(site, "\(values.count) values from row \(firstRow) on") }
        try writeAll(descriptor, UnsafeRawBufferPointer(values), at: place.offset + firstRow * place.width * 4, path)
        state.withLock { $0.written[site, default: 0] += values.count }
    }

    /// Writes some queries of one prompt's pattern, [queries, tokens], for the `index`-th head that is kept.
    package func write(
        pattern: String, index: Int, prompt: Int, firstQuery: Int, values: UnsafeBufferPointer<Float>
    ) throws {
        guard let place = places.patterns[pattern], (0..<place.heads).contains(index),
            layout.promptTokens.indices.contains(prompt), firstQuery >= 0,
            firstQuery * layout.promptTokens[prompt] + values.count
                <= layout.promptTokens[prompt] * layout.promptTokens[prompt]
        else { throw misfit(pattern, "\(values.count) values of prompt \(prompt)") }
        let column = places.offsets[prompt] + firstQuery * layout.promptTokens[prompt]
        let value = index * places.offsets[places.offsets.count - 1] + column
        try writeAll(descriptor, UnsafeRawBufferPointer(values), at: place.offset + value * 4, path)
        state.withLock { $0.written[pattern, default: 0] += values.count }
    }

    /// Puts the values of prompts that follow the ones before onto the disk and notes them as done.
    ///
    /// - Throws: `CheckpointError`, too, if a dataset was given more or fewer values since the last section than these
    ///   prompts have. Values are counted, not which they are.
    package func complete(_ prompts: Range<Int>) throws {
        try state.withLock { state in
            guard let journal = state.journal, prompts.lowerBound == state.completed else {
                throw misfit("journal", "prompts \(prompts)")
            }
            for (name, expected) in places.valueCounts(prompts) where state.written[name] ?? 0 != expected {
                throw CheckpointError(
                    .inconsistent, file: path, object: name,
                    problem: "only \(state.written[name] ?? 0) of \(expected) values were computed",
                    remedy: "does this model have the site? see help sites")
            }
            state.written = [:]
            guard fdatasync(descriptor) == 0 else {
                throw RegularFile.system(path, "writing to the disk failed", errno)
            }
            try journal.append(.init(prompts: prompts, digest: try places.digest(prompts, descriptor, path)))
            state.completed = prompts.upperBound
        }
    }

    /// Gives the finished file its name and removes the folder.
    package func finish() throws {
        try state.withLock { state in
            guard state.journal != nil, state.completed == layout.prompts.count else {
                throw misfit("journal", "too few prompts")
            }
            let data = "\(folder)/\(Self.dataName)"
            _ = try CaptureFile(File(data))
            if let permissions = try FilePlacement.checkTarget(path, overwrite: overwrite) {
                _ = fchmod(descriptor, mode_t(permissions))
            }
            guard fsync(descriptor) == 0 else {
                throw RegularFile.system(path, "writing to the disk failed", errno)
            }
            try FilePlacement.move(data, to: path, overwrite: overwrite)
            // Whatever fails from here on, there is nothing in the folder to go on with.
            state.completed = 0
            let parent = FilePlacement.split(path).folder
            try FilePlacement.flush(folder: parent, of: path)
            remove(&state)
        }
    }

    /// Removes what is done so far; harmless after `finish`.
    package func discard() { state.withLock { remove(&$0) } }

    /// The lock is given up last, and only once: the folder may be another command's afterwards.
    private func remove(_ state: inout State) {
        guard state.journal != nil else { return }
        Self.remove(folder)
        state.journal = nil
    }

    private func misfit(_ object: String, _ what: String) -> CheckpointError {
        CheckpointError(.inconsistent, file: path, object: object, problem: "\(what) do not fit", remedy: "report this")
    }
}

// MARK: The folder

extension PartialCapture {
    /// Makes the folder and locks its journal, anew where the command that had them removed them meanwhile.
    private static func lock(_ folder: String, target: String, restart: Bool) throws -> CaptureJournal {
        for _ in 0..<5 {
            try makeFolder(folder)
            let path = "\(folder)/\(journalName)"
            if let journal = try CaptureJournal(path, target: target, restart: restart) { return journal }
        }
        throw CaptureJournal.isHeld(target)
    }

    private static func makeFolder(_ folder: String) throws {
        var status = stat()
        if lstat(folder, &status) == 0 {
            guard status.st_mode & S_IFMT == S_IFDIR else {
                throw CheckpointError(
                    .inconsistent, file: folder, problem: "it is in the way: unfinished captures are kept there",
                    remedy: "move it elsewhere")
            }
            if let other = FilePlacement.names(in: folder).first(where: { !isOwn($0) }) {
                throw CheckpointError(
                    .inconsistent, file: folder, object: other,
                    problem: "the folder is in the way: it holds something else than an unfinished capture",
                    remedy: "move it elsewhere")
            }
            return
        }
        guard mkdir(folder, 0o777) == 0 else {
            let parent = FilePlacement.split(folder).folder
            if errno == ENOENT {
                throw HDF5Error(
                    .notFound, file: String(folder.dropLast(8)), problem: "there is no folder \(parent)",
                    remedy: "create it first")
            }
            throw RegularFile.system(folder, "no folder can be created for the unfinished capture", errno)
        }
    }

    private static func isOwn(_ name: String) -> Bool {
        name == dataName || name == journalName || (name.hasPrefix(".\(dataName).") && name.hasSuffix(".tmp"))
    }

    /// Whether there is data that is nowhere else: a second name means that it was put in place as the process ended.
    private static func isWaiting(_ data: String) -> Bool {
        var status = stat()
        return lstat(data, &status) == 0 && status.st_nlink == 1
    }

    /// Removes data, but not the journal, which is locked.
    private static func clear(_ folder: String) throws {
        for name in FilePlacement.names(in: folder) where isOwn(name) && name != journalName {
            guard unlink("\(folder)/\(name)") == 0 else {
                throw RegularFile.system("\(folder)/\(name)", "it cannot be removed", errno)
            }
        }
    }

    /// The journal goes last: as soon as it has no name, another command can begin here.
    private static func remove(_ folder: String) {
        for name in FilePlacement.names(in: folder) where isOwn(name) && name != journalName {
            _ = unlink("\(folder)/\(name)")
        }
        _ = unlink("\(folder)/\(journalName)")
        _ = rmdir(folder)
    }

    private static func openData(_ path: String) throws -> Int32 {
        #if canImport(Glibc)
            let descriptor = Glibc.open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC)
        #else
            let descriptor = Darwin.open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC)
        #endif
        guard descriptor >= 0 else { throw RegularFile.system(path, "it cannot be opened", errno) }
        return descriptor
    }

    /// Checks every byte of what is there: all but the values against the journal's first line, values against their
    /// sections' lines. Sections from the first damaged one on are forgotten.
    ///
    /// - Returns: with the number of prompts that the journal called done.
    private static func reopen(
        _ journal: CaptureJournal, _ layout: CaptureLayout, _ folder: String
    ) throws -> (CaptureJournal, CaptureLayout, Places, Int32, Int) {
        let path = "\(folder)/\(dataName)"
        func damaged(_ problem: String) -> CheckpointError {
            CheckpointError(
                .inconsistent, file: folder, problem: "the unfinished capture is damaged: \(problem)",
                remedy: "discard it with --restart")
        }
        guard let header = journal.header else { throw damaged("there is no journal") }
        let file: File
        let places: Places
        do {
            file = try File(path)
            places = try Places(file, layout)
        } catch {
            throw damaged("\(error)")
        }
        let descriptor = try openData(path)
        do {
            guard places.byteCount == header.byteCount else {
                throw damaged("it has \(places.byteCount) bytes instead of \(header.byteCount)")
            }
            guard try places.skeleton(descriptor, path) == header.skeleton else {
                throw damaged("its headers are not what they were")
            }
            let noted = journal.sections.last?.prompts.upperBound ?? 0
            guard noted <= layout.prompts.count else { throw damaged("it has more prompts than there are") }
            var sound = 0
            for section in journal.sections {
                guard try places.digest(section.prompts, descriptor, path) == section.digest else { break }
                sound += 1
            }
            try journal.keep(sound)
            // The recipe in the file is the one it was begun with.
            return (journal, layout, places, descriptor, noted)
        } catch {
            _ = close(descriptor)
            throw error
        }
    }
}
