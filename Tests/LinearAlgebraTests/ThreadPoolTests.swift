import LinearAlgebra
import Synchronization
import Testing

@Suite("Thread pool")
struct ThreadPoolTests {
    private struct Failure: Error {}

    @Test("runs every task once, at any number of threads", arguments: [1, 2, 5])
    func everyTask(threads: Int) throws {
        let pool = try ThreadPool(threadCount: threads)
        for tasks in [0, 1, 2, 100, 1000] {
            let counts = (0..<tasks).map { _ in Counter() }
            try pool.run(tasks: tasks) { task, _ in counts[task].add() }
            #expect(counts.allSatisfy { $0.value == 1 })
        }
    }

    @Test("passes on what a task threw, and works on afterwards")
    func failure() throws {
        let pool = try ThreadPool(threadCount: 2)
        #expect(throws: Failure.self) {
            try pool.run(tasks: 50) { task, _ in if task == 7 { throw Failure() } }
        }
        let counter = Counter()
        try pool.run(tasks: 50) { _, _ in counter.add() }
        #expect(counter.value == 50)
    }

    private final class Counter: Sendable {
        private let count = Atomic<Int>(0)
        var value: Int { count.load(ordering: .relaxed) }
        func add() { count.wrappingAdd(1, ordering: .relaxed) }
    }
}
