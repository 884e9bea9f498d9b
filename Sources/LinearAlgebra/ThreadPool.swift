import CDispatch
import Synchronization

#if canImport(Glibc)
    @preconcurrency import Glibc
#else
    import Darwin
#endif

/// A fixed set of threads that run numbered tasks, and the scratch memory that belongs to each.
///
/// Tasks are handed out in order to whichever thread is free, so what a task computes must not depend on who runs it:
/// then results are the same bits at any thread count. A pool runs one set of tasks at a time.
package final class ThreadPool: @unchecked Sendable {
    package let threadCount: Int
    /// What the workers' products are computed with.
    package let level: KernelLevel
    private let workers: [Worker]
    private let queue = Mutex<Void>(())

    // The set of tasks being run; written by `run` while every worker is idle.
    private var body: ((Int, Worker) throws -> Void)?
    private var taskCount = 0
    private let nextTask = Atomic<Int>(0)
    private let epoch = Atomic<Int>(0)
    private let busy = Atomic<Int>(0)
    private let failure = Mutex<(any Error)?>(nil)
    private let isStopping = Atomic<Bool>(false)

    // Threads that found nothing to do for a while sleep here.
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let wake: UnsafeMutablePointer<pthread_cond_t>

    /// Iterations of polling before a thread sleeps: about 50 microseconds, a little more than a stage of a layer
    /// keeps it waiting.
    private static let spins = 20_000

    /// - Parameters:
    ///   - threadCount: threads that work, the caller's included.
    ///   - level: what products are computed with; the processor must have it.
    package init(threadCount: Int, level: KernelLevel = .standard) throws {
        self.threadCount = max(1, threadCount)
        self.level = level
        workers = (0..<self.threadCount).map { Worker(index: $0, level: level) }
        mutex = .allocate(capacity: 1)
        wake = .allocate(capacity: 1)
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(wake, nil)
        do {
            for index in 1..<self.threadCount where index < self.threadCount { try start(index) }
        } catch {
            stop()
            throw error
        }
    }

    /// Ends the worker threads; the pool must not be used afterwards.
    package func stop() {
        isStopping.store(true, ordering: .relaxed)
        pthread_mutex_lock(mutex)
        epoch.wrappingAdd(1, ordering: .releasing)
        pthread_cond_broadcast(wake)
        pthread_mutex_unlock(mutex)
    }

    deinit {
        pthread_cond_destroy(wake)
        pthread_mutex_destroy(mutex)
        wake.deallocate()
        mutex.deallocate()
    }

    /// Runs `body` for each task in 0..<tasks and returns when all are done.
    ///
    /// - Throws: the first error that a task threw; tasks that had not begun by then are left out.
    package func run(tasks: Int, _ body: (_ task: Int, _ worker: Worker) throws -> Void) throws {
        guard tasks > 0 else { return }
        try queue.withLock { _ in
            if threadCount == 1 || tasks == 1 {
                for task in 0..<tasks { try body(task, workers[0]) }
                return
            }
            withoutActuallyEscaping(body) { body in
                self.body = body
                taskCount = tasks
                nextTask.store(0, ordering: .relaxed)
                busy.store(threadCount - 1, ordering: .relaxed)
                pthread_mutex_lock(mutex)
                epoch.wrappingAdd(1, ordering: .releasing)
                pthread_cond_broadcast(wake)
                pthread_mutex_unlock(mutex)
                work(workers[0])
                var spun = 0
                while busy.load(ordering: .acquiring) > 0 {
                    spun += 1
                    if spun > Self.spins { sched_yield() }
                }
                self.body = nil
            }
            if let error = failure.withLock({ error in
                defer { error = nil }
                return error
            }) {
                throw error
            }
        }
    }

    private func work(_ worker: Worker) {
        guard let body else { return }
        while true {
            let task = nextTask.wrappingAdd(1, ordering: .relaxed).oldValue
            guard task < taskCount else { return }
            do {
                try body(task, worker)
            } catch {
                failure.withLock { if $0 == nil { $0 = error } }
                nextTask.store(taskCount, ordering: .relaxed)
            }
        }
    }

    private func serve(_ worker: Worker) {
        var seen = 0
        while true {
            var spun = 0
            while epoch.load(ordering: .acquiring) == seen {
                spun += 1
                guard spun > Self.spins else { continue }
                pthread_mutex_lock(mutex)
                while epoch.load(ordering: .acquiring) == seen { pthread_cond_wait(wake, mutex) }
                pthread_mutex_unlock(mutex)
            }
            seen = epoch.load(ordering: .acquiring)
            if isStopping.load(ordering: .relaxed) { return }
            work(worker)
            busy.wrappingSubtract(1, ordering: .releasing)
        }
    }

    private func start(_ index: Int) throws {
        // A worker keeps its pool alive until `stop`.
        let start = Unmanaged.passRetained(Start(pool: self, worker: workers[index]))
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        // The session's signals belong to the thread that reads commands; faults belong to whoever meets them.
        var all = sigset_t()
        var before = sigset_t()
        sigfillset(&all)
        for fault in [SIGBUS, SIGSEGV, SIGFPE, SIGILL, SIGTRAP, SIGABRT] { sigdelset(&all, fault) }
        pthread_sigmask(SIG_SETMASK, &all, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        #if canImport(Glibc)
            var thread = pthread_t()
            let code = pthread_create(
                &thread, &attributes,
                {
                    let start = Unmanaged<Start>.fromOpaque($0!).takeRetainedValue()
                    start.pool.serve(start.worker)
                    return nil
                }, start.toOpaque())
        #else
            var thread: pthread_t?
            let code = pthread_create(
                &thread, &attributes,
                {
                    let start = Unmanaged<Start>.fromOpaque($0).takeRetainedValue()
                    start.pool.serve(start.worker)
                    return nil
                }, start.toOpaque())
        #endif
        guard code == 0 else {
            start.release()
            throw LinearAlgebraError.thread(errno: code)
        }
    }

    private final class Start {
        let pool: ThreadPool
        let worker: Worker

        init(pool: ThreadPool, worker: Worker) {
            self.pool = pool
            self.worker = worker
        }
    }
}

/// What belongs to one thread of a pool: its matrix products and its scratch memory.
package final class Worker {
    package let index: Int
    package let products: Products
    private var scratch: [Int: UnsafeMutableBufferPointer<Float>] = [:]

    init(index: Int, level: KernelLevel) {
        self.index = index
        products = Products(level: level)
    }

    deinit {
        for buffer in scratch.values { buffer.deallocate() }
    }

    /// Uninitialised memory for `count` floats, 64-byte aligned, kept between tasks under `slot`.
    package func scratch(_ slot: Int, count: Int) -> UnsafeMutablePointer<Float> {
        if let buffer = scratch[slot], buffer.count >= count { return buffer.baseAddress! }
        scratch[slot]?.deallocate()
        let raw = PageArena.scratch(byteCount: count * 4)
        let buffer = raw.bindMemory(to: Float.self)
        scratch[slot] = buffer
        return buffer.baseAddress!
    }
}
