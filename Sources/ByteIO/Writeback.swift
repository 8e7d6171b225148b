import CLinux

/// Has the system begin to bring a part of an open file to its device, and does not wait for it.
///
/// A new file is synced before it takes its name. Without this nothing would be under way until
/// then, and the device would begin its work when the processors have ended theirs. What goes wrong
/// is the sync's to report.
func beginWriteback(_ descriptor: Int32, at offset: Int, count: Int) {
  _ = sync_file_range(descriptor, Int64(offset), Int64(count), SYNC_FILE_RANGE_WRITE)
}
