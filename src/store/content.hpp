// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Bulk content in files named by the SHA-256 of their octets, `content/ab/cdef…` (invariant 2): temporary
// name, fsync, rename, fsync of the folder, and only then a transaction that refers to it.
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/record.hpp"
#include "store/store.hpp"

namespace syncline::store {

struct StoredContent {
  std::string sha256 = {};  ///< lower-case hexadecimal
  std::uint64_t octets = 0;
  friend bool operator==(const StoredContent&, const StoredContent&) = default;
};

/// Receives the octets of one content. Dropped without `finish`: nothing stays.
class ContentWriter {
 public:
  ContentWriter(ContentWriter&&) noexcept;
  ~ContentWriter();
  /// After an error nothing more is taken.
  Result<void> write(std::span<const std::byte> octets);
  /// Once. Durable when it returns; the same content twice is one file.
  Result<StoredContent> finish();

 private:
  friend class ContentStore;
  friend class ContentBatch;
  struct State;
  explicit ContentWriter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// Contents that become durable together: the disk is waited for a few times, not twice for each. Dropped
/// without `commit`: what was added since the last one does not stay.
class ContentBatch {
 public:
  explicit ContentBatch(Store& store);
  ContentBatch(ContentBatch&&) noexcept;
  ~ContentBatch();
  /// Ends the writer. What it wrote is in the store when `commit` has returned; nothing may refer to it
  /// before.
  Result<StoredContent> add(ContentWriter writer);
  /// After an error nothing that was added counts. Does nothing when nothing was added.
  Result<void> commit();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

class ContentReader {
 public:
  ContentReader(ContentReader&&) noexcept;
  ~ContentReader();
  std::uint64_t size() const noexcept;
  /// 0 at the end.
  Result<std::size_t> read(std::span<std::byte> buffer);
  Result<void> rewind();

 private:
  friend class ContentStore;
  ContentReader(int descriptor, std::uint64_t size) : descriptor_(descriptor), size_(size) {}
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
};

class ContentStore {
 public:
  /// The store's folder; makes `content/` if need be.
  static Result<ContentStore> open(Store& store);
  Result<ContentWriter> create();
  ContentBatch batch() { return ContentBatch(*store_); }
  /// Error "no-content".
  Result<ContentReader> open_content(std::string_view sha256) const;
  /// Removes temporary files that nobody writes, and contents that no record refers to, older than an hour by
  /// the store's clock. Returns how many. What is in use (a backup) is left for the next time.
  Result<std::uint64_t> sweep();
  /// Copies everything that `target_folder`/syncline.db refers to to `target_folder`/content, hard links
  /// where possible; after Store::backup. Error "content-missing": some are gone from the store; all others
  /// are copied.
  Result<void> backup(const std::string& target_folder) const;

 private:
  explicit ContentStore(Store& store) : store_(&store) {}
  Store* store_;
};

/// The contents that a record's fields name: its attachments, its photo, the message as received. One that is
/// named twice stands there twice.
std::vector<StoredContent> contents_in(const model::Fields& fields);
/// The contents a record refers to, replaced as a whole; what writes a record does so. Errors:
/// "no-reference"; "bad-content": not a SHA-256.
Result<void> set_content_of_record(Transaction& transaction, model::RecordId record,
                                   const std::vector<StoredContent>& contents);

}  // namespace syncline::store
