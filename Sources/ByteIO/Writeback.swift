import CLinux

/// Starts writing a range of an open file back to its device, without waiting.
///
/// A new file is synced before it is renamed. Without this, the device would start to work only after
/// the processors have finished. Errors are reported by the sync.
func beginWriteback(_ descriptor: Int32, at offset: Int, count: Int) {
  _ = sync_file_range(descriptor, Int64(offset), Int64(count), SYNC_FILE_RANGE_WRITE)
}
