internal import COpenBLAS

/// OpenBLAS's limit is one for the process. Every user of it touches this first: at several threads its sums, and
/// LAPACK's, are not the same bits from run to run.
let openBLASUsesOneThread: Void = openblas_set_num_threads(1)
