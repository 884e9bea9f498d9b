import HDF5

/// The error that opening throws; nil if it opens.
func errorOfOpening(_ path: String, limits: Limits = Limits()) -> HDF5Error? {
    do {
        _ = try File(path, limits: limits)
        return nil
    } catch {
        return error as? HDF5Error
    }
}
