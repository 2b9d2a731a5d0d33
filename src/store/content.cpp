// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/content.hpp"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <set>
#include <utility>

#include "store/connection.hpp"
#include "store/files.hpp"

namespace syncline::store {
namespace {

namespace fs = std::filesystem;

constexpr Sql is_used_sql = "SELECT 1 FROM record_content WHERE sha256 = ?1 LIMIT 1";
constexpr Sql forget_sql = "DELETE FROM record_content WHERE record = ?1";
constexpr Sql refer_sql =
    "INSERT INTO record_content (record, sha256, octets) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
constexpr Sql all_used_sql = "SELECT DISTINCT lower(hex(sha256)) AS name FROM record_content ORDER BY name";

constexpr std::size_t hash_octets = 32;
constexpr std::size_t buffer_octets = std::size_t{64} << 10;
constexpr std::chrono::hours unreferenced_stay{1};
/// Files of a batch that are open at once …
constexpr std::size_t most_files = 64;
/// … and what it holds in memory.
constexpr std::size_t most_octets_in_memory = std::size_t{4} << 20;
/// So many are removed in one write transaction: others wait for it.
constexpr std::size_t sweep_batch = 256;

std::string content_folder(const std::string& folder) {
  return folder + "/content";
}
std::string temporary_folder(const std::string& folder) {
  return content_folder(folder) + "/tmp";
}

/// Octets of the name; nullopt if it is none. What is no name of ours never becomes a path.
std::optional<std::string> parse_sha256(std::string_view name) {
  if (name.size() != 2 * hash_octets) return std::nullopt;
  const auto digit = [](char c) -> int {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
  };
  std::string octets;
  for (std::size_t i = 0; i < name.size(); i += 2) {
    const int high = digit(name[i]);
    const int low = digit(name[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    octets += static_cast<char>(high * 16 + low);
  }
  return octets;
}

std::string shard_of(const std::string& folder, std::string_view sha256) {
  return content_folder(folder) + "/" + std::string(sha256.substr(0, 2));
}
std::string path_of(const std::string& folder, std::string_view sha256) {
  return shard_of(folder, sha256) + "/" + std::string(sha256.substr(2));
}

timespec to_timespec(SystemTime time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  timespec spec{};
  spec.tv_sec = static_cast<time_t>(seconds.time_since_epoch().count());
  spec.tv_nsec = static_cast<long>(std::chrono::nanoseconds(time - seconds).count());
  return spec;
}

SystemTime modified_at(const struct stat& status) {
  return SystemTime(std::chrono::seconds(status.st_mtim.tv_sec)) +
         std::chrono::floor<std::chrono::milliseconds>(std::chrono::nanoseconds(status.st_mtim.tv_nsec));
}

/// Writers and backups share it; the sweep has it alone. So no file goes between the look that finds it and
/// the use.
Result<Descriptor> lock_content(const std::string& folder, int how) {
  const std::string path = content_folder(folder);
  Descriptor lock(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!lock) return fail(file_error(errno, "open folder " + path));
  while (::flock(lock.get(), how) != 0) {
    if (errno == EINTR) continue;
    if (errno == EWOULDBLOCK) return Descriptor();
    return fail(file_error(errno, "lock folder " + path));
  }
  return lock;
}

/// Names of what is in a folder; none if the folder is not there.
std::vector<std::string> entries(const std::string& path) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator at(path, error), end; !error && at != end; at.increment(error))
    names.push_back(at->path().filename().string());
  return names;
}

Result<void> copy_file(const std::string& from, const std::string& to) {
  const Descriptor source(::open(from.c_str(), O_RDONLY | O_CLOEXEC));
  if (!source) return fail(file_error(errno, "open " + from));
  const std::string partial = to + ".partial";
  ::unlink(partial.c_str());
  const Descriptor target(::open(partial.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600));
  if (!target) return fail(file_error(errno, "create " + partial));
  Result<void> done;
  std::vector<std::byte> buffer(buffer_octets);
  while (done) {
    const ssize_t count = ::read(source.get(), buffer.data(), buffer.size());
    if (count == 0) break;
    if (count < 0) {
      if (errno == EINTR) continue;
      done = fail(file_error(errno, "read " + from));
    } else {
      done = write_all(target.get(), std::span(buffer).first(static_cast<std::size_t>(count)), partial);
    }
  }
  if (done) done = sync_file(target.get(), partial);
  if (done && std::rename(partial.c_str(), to.c_str()) != 0)
    done = fail(file_error(errno, "rename to " + to));
  if (!done) ::unlink(partial.c_str());
  return done;
}

Result<void> link_or_copy(const std::string& from, const std::string& to) {
  if (::link(from.c_str(), to.c_str()) == 0 || errno == EEXIST) return {};
  if (errno == ENOENT) return fail(ErrorDomain::local, "no-content", "there is no file " + from);
  // Another file system, one without hard links, or too many of them.
  if (errno == EXDEV || errno == EPERM || errno == EMLINK || errno == EOPNOTSUPP) return copy_file(from, to);
  return fail(file_error(errno, "link " + to));
}

struct FreeDigest {
  void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
};

}  // namespace

struct ContentWriter::State {
  Store* store = nullptr;
  std::unique_ptr<EVP_MD_CTX, FreeDigest> digest;
  std::vector<std::byte> buffer;
  std::uint64_t octets = 0;
  /// Made when the first buffer is full: what is small may turn out to be here already.
  Descriptor file;
  std::string path;
  bool closed = false;

  ~State() {
    if (!path.empty()) ::unlink(path.c_str());
  }

  Result<void> make_file() {
    static std::atomic<std::uint64_t> counter = 0;
    for (int attempts = 0; attempts < 100; ++attempts) {
      std::string candidate = temporary_folder(store->folder()) + "/" + std::to_string(::getpid()) + "-" +
                              std::to_string(counter.fetch_add(1));
      Descriptor made(::open(candidate.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600));
      // A process before us had our pid.
      if (!made && errno == EEXIST) continue;
      if (!made) return fail(file_error(errno, "create " + candidate));
      file = std::move(made);
      path = std::move(candidate);
      // Tells the sweep that somebody is at it.
      if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) return fail(file_error(errno, "lock " + path));
      return {};
    }
    return fail(ErrorDomain::local, "io", "no free name for a temporary file; sweep the content store");
  }

  Result<void> flush() {
    if (!file)
      if (auto made = make_file(); !made) return made;
    auto written = write_all(file.get(), buffer, path);
    buffer.clear();
    return written;
  }

  Result<void> take(std::span<const std::byte> piece) {
    if (EVP_DigestUpdate(digest.get(), piece.data(), piece.size()) != 1)
      return fail(ErrorDomain::local, "io", "SHA-256 failed");
    octets += piece.size();
    while (!piece.empty()) {
      const std::size_t count = std::min(piece.size(), buffer_octets - buffer.size());
      buffer.insert(buffer.end(), piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(count));
      piece = piece.subspan(count);
      if (buffer.size() == buffer_octets)
        if (auto flushed = flush(); !flushed) return flushed;
    }
    return {};
  }

  Result<std::string> hash() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> result{};
    unsigned size = 0;
    if (EVP_DigestFinal_ex(digest.get(), result.data(), &size) != 1 || size != hash_octets)
      return fail(ErrorDomain::local, "io", "SHA-256 failed");
    static constexpr char digits[] = "0123456789abcdef";
    std::string name;
    for (std::size_t i = 0; i < hash_octets; ++i)
      name.append({digits[result[i] >> 4], digits[result[i] & 15]});
    return name;
  }

  /// All octets in a file of the temporary folder, on their way to the disk.
  Result<void> complete(const SystemTime& now) {
    if (auto flushed = flush(); !flushed) return flushed;
    const timespec time = to_timespec(now);
    const std::array<timespec, 2> times = {time, time};
    if (::futimens(file.get(), times.data()) != 0) return fail(file_error(errno, "set the time of " + path));
    start_writing(file.get());
    return {};
  }
};

struct ContentBatch::State {
  /// Not yet at its name. What is small stays in memory until the commit: who adds does not wait for the
  /// disk.
  struct Arriving {
    std::unique_ptr<ContentWriter::State> content;
    std::string sha256;
  };
  Store& store;
  std::vector<Arriving> arriving = {};
  std::size_t files = 0;             ///< of `arriving`
  std::size_t octets_in_memory = 0;  ///< of the others
  /// Folders with names that were there: whoever made them may have ended before they were durable.
  std::set<std::string> shards = {};

  Result<StoredContent> add(std::unique_ptr<ContentWriter::State> content);
  Result<void> commit();

 private:
  /// To a temporary file, on its way to the disk. False: its name is there already.
  Result<bool> write_out(Arriving& one);
  /// From the temporary files to their names; durable when their folders are.
  Result<void> name(std::span<Arriving> contents, std::set<std::string>& folders);
};

Result<StoredContent> ContentBatch::State::add(std::unique_ptr<ContentWriter::State> content) {
  Result<std::string> hash = content->hash();
  if (!hash) return fail(std::move(hash.error()));
  const StoredContent stored{.sha256 = *hash, .octets = content->octets};
  if (std::any_of(arriving.begin(), arriving.end(),
                  [&](const Arriving& other) { return other.sha256 == *hash; }))
    return stored;
  Arriving one{.content = std::move(content), .sha256 = std::move(*hash)};
  if (one.content->file) {
    auto lock = lock_content(store.folder(), LOCK_SH);
    if (!lock) return fail(std::move(lock.error()));
    auto is_new = write_out(one);
    if (!is_new) return fail(std::move(is_new.error()));
    if (!*is_new) return stored;
    ++files;
  } else {
    octets_in_memory += one.content->buffer.size();
  }
  arriving.push_back(std::move(one));
  if (files >= most_files || octets_in_memory >= most_octets_in_memory)
    if (auto committed = commit(); !committed) return fail(std::move(committed.error()));
  return stored;
}

Result<bool> ContentBatch::State::write_out(Arriving& one) {
  const std::string target = path_of(store.folder(), one.sha256);
  const SystemTime now = store.clock().now();
  struct stat there {};
  // Of another size it was damaged from outside; ours takes its place.
  if (::stat(target.c_str(), &there) != 0 || !S_ISREG(there.st_mode) ||
      static_cast<std::uint64_t>(there.st_size) != one.content->octets) {
    if (auto done = one.content->complete(now); !done) return fail(std::move(done.error()));
    return true;
  }
  // Its hour begins again.
  const timespec time = to_timespec(now);
  const std::array<timespec, 2> times = {time, time};
  if (::utimensat(AT_FDCWD, target.c_str(), times.data(), 0) != 0)
    return fail(file_error(errno, "set the time of " + target));
  shards.insert(shard_of(store.folder(), one.sha256));
  return false;
}

Result<void> ContentBatch::State::name(std::span<Arriving> contents, std::set<std::string>& folders) {
  const std::string& folder = store.folder();
  for (const Arriving& one : contents)
    if (auto synced = sync_file(one.content->file.get(), one.content->path); !synced) return synced;
  bool made_shard = false;
  for (const Arriving& one : contents) {
    const std::string shard = shard_of(folder, one.sha256);
    if (::access(shard.c_str(), F_OK) != 0) {
      if (auto made = make_folder(shard); !made) return made;
      made_shard = true;
    }
    folders.insert(shard);
  }
  if (made_shard)
    if (auto synced = sync_folder(content_folder(folder)); !synced) return synced;
  DurableWrites* const writes = store.durable_writes();
  for (Arriving& one : contents) {
    if (writes)
      if (auto allowed = writes->before("content"); !allowed) return allowed;
    const std::string target = path_of(folder, one.sha256);
    if (std::rename(one.content->path.c_str(), target.c_str()) != 0)
      return fail(file_error(errno, "rename to " + target));
    one.content->path.clear();
    one.content.reset();
  }
  return {};
}

Result<void> ContentBatch::State::commit() {
  if (arriving.empty() && shards.empty()) return {};
  std::vector<Arriving> contents = std::exchange(arriving, {});
  files = octets_in_memory = 0;
  auto lock = lock_content(store.folder(), LOCK_SH);
  if (!lock) return fail(std::move(lock.error()));
  std::set<std::string> folders;
  std::size_t named = 0;
  for (auto next = contents.begin(); next != contents.end();) {
    std::vector<Arriving> group;  // each holds a descriptor
    for (; next != contents.end() && group.size() < most_files; ++next) {
      if (!next->content->file) {
        auto is_new = write_out(*next);
        if (!is_new) return fail(std::move(is_new.error()));
        if (!*is_new) continue;
      }
      group.push_back(std::move(*next));
    }
    if (auto done = name(group, folders); !done) return done;
    named += group.size();
  }
  folders.merge(std::exchange(shards, {}));
  for (const std::string& shard : folders)
    if (auto synced = sync_folder(shard); !synced) return synced;
  if (DurableWrites* const writes = store.durable_writes())
    for (std::size_t i = 0; i < named; ++i)
      if (auto allowed = writes->after("content"); !allowed) return allowed;
  return {};
}

ContentBatch::ContentBatch(Store& store) : state_(std::make_unique<State>(State{.store = store})) {}
ContentBatch::ContentBatch(ContentBatch&&) noexcept = default;
ContentBatch::~ContentBatch() = default;

Result<StoredContent> ContentBatch::add(ContentWriter writer) {
  if (!writer.state_ || writer.state_->closed)
    return fail(ErrorDomain::local, "closed", "this content is finished, or failed");
  writer.state_->closed = true;
  return state_->add(std::move(writer.state_));
}

Result<void> ContentBatch::commit() {
  return state_->commit();
}

ContentWriter::ContentWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}
ContentWriter::ContentWriter(ContentWriter&&) noexcept = default;
ContentWriter::~ContentWriter() = default;

Result<void> ContentWriter::write(std::span<const std::byte> octets) {
  if (!state_ || state_->closed)
    return fail(ErrorDomain::local, "closed", "this content takes no more octets");
  auto taken = state_->take(octets);
  if (!taken) state_->closed = true;
  return taken;
}

Result<StoredContent> ContentWriter::finish() {
  if (!state_) return fail(ErrorDomain::local, "closed", "this content is finished, or failed");
  ContentBatch batch(*state_->store);
  auto stored = batch.add(std::move(*this));
  if (!stored) return stored;
  if (auto committed = batch.commit(); !committed) return fail(std::move(committed.error()));
  return stored;
}

ContentReader::ContentReader(ContentReader&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), size_(other.size_) {}

ContentReader::~ContentReader() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

std::uint64_t ContentReader::size() const noexcept {
  return size_;
}

Result<std::size_t> ContentReader::read(std::span<std::byte> buffer) {
  for (;;) {
    const ssize_t count = ::read(descriptor_, buffer.data(), buffer.size());
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno != EINTR) return fail(file_error(errno, "read a content"));
  }
}

Result<void> ContentReader::rewind() {
  if (::lseek(descriptor_, 0, SEEK_SET) != 0) return fail(file_error(errno, "read a content again"));
  return {};
}

Result<ContentStore> ContentStore::open(Store& store) {
  if (auto made = make_folder(content_folder(store.folder())); !made) return fail(std::move(made.error()));
  if (auto made = make_folder(temporary_folder(store.folder())); !made) return fail(std::move(made.error()));
  return ContentStore(store);
}

Result<ContentWriter> ContentStore::create() {
  auto state = std::make_unique<ContentWriter::State>();
  state->store = store_;
  state->digest.reset(EVP_MD_CTX_new());
  if (!state->digest || EVP_DigestInit_ex(state->digest.get(), EVP_sha256(), nullptr) != 1)
    return fail(ErrorDomain::local, "io", "SHA-256 failed");
  return ContentWriter(std::move(state));
}

Result<ContentReader> ContentStore::open_content(std::string_view sha256) const {
  if (!parse_sha256(sha256))
    return fail(ErrorDomain::local, "no-content", "this is not the name of a content");
  const std::string path = path_of(store_->folder(), sha256);
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file && errno == ENOENT)
    return fail(ErrorDomain::local, "no-content", "there is no content " + std::string(sha256));
  if (!file) return fail(file_error(errno, "open " + path));
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return fail(file_error(errno, "read " + path));
  return ContentReader(file.release(), static_cast<std::uint64_t>(status.st_size));
}

Result<std::uint64_t> ContentStore::sweep() {
  const std::string& folder = store_->folder();
  const SystemTime older_than = store_->clock().now() - unreferenced_stay;
  std::uint64_t removed = 0;

  for (const std::string& name : entries(temporary_folder(folder))) {
    const std::string path = temporary_folder(folder) + "/" + name;
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
    struct stat status {};
    if (!file || ::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) continue;
    if (modified_at(status) >= older_than || ::flock(file.get(), LOCK_EX | LOCK_NB) != 0) continue;
    if (::unlink(path.c_str()) == 0) ++removed;
  }

  std::vector<std::string> candidates;
  const auto sweep_candidates = [&]() -> Result<bool> {
    // In a write transaction, so that nobody begins to refer to one in between.
    auto swept = store_->write<bool>([&](Transaction& transaction) -> Result<bool> {
      auto lock = lock_content(folder, LOCK_EX | LOCK_NB);
      if (!lock) return fail(std::move(lock.error()));
      if (!*lock) return false;
      for (const std::string& sha256 : candidates) {
        const std::string path = path_of(folder, sha256);
        struct stat status {};
        if (::stat(path.c_str(), &status) != 0 || modified_at(status) >= older_than) continue;
        Query query(transaction.impl(), is_used_sql, Blob{*parse_sha256(sha256)});
        const Result<bool> used = query.next();
        if (!used) return fail(used.error());
        if (!*used && ::unlink(path.c_str()) == 0) ++removed;
      }
      return true;
    });
    candidates.clear();
    return swept;
  };
  for (const std::string& shard : entries(content_folder(folder))) {
    for (const std::string& rest : entries(content_folder(folder) + "/" + shard)) {
      std::string sha256 = shard + rest;
      if (shard.size() != 2 || !parse_sha256(sha256)) continue;
      struct stat status {};
      if (::stat(path_of(folder, sha256).c_str(), &status) != 0 || modified_at(status) >= older_than)
        continue;
      candidates.push_back(std::move(sha256));
      if (candidates.size() < sweep_batch) continue;
      const Result<bool> going_on = sweep_candidates();
      if (!going_on) return fail(going_on.error());
      if (!*going_on) return removed;
    }
  }
  if (!candidates.empty())
    if (const Result<bool> swept = sweep_candidates(); !swept) return fail(swept.error());
  return removed;
}

Result<void> ContentStore::backup(const std::string& target_folder) const {
  const auto lock = lock_content(store_->folder(), LOCK_SH);
  if (!lock) return fail(lock.error());
  // Nobody writes to the copy: no log beside it is needed.
  Result<Handle> handle = open_database(target_folder + "/syncline.db", Access::immutable);
  if (!handle) return fail(std::move(handle.error()));
  Transaction::Impl connection(std::move(*handle), store_->clock());
  for (const std::string& made : {content_folder(target_folder), temporary_folder(target_folder)})
    if (auto done = make_folder(made); !done) return done;
  std::uint64_t missing = 0;
  std::string first_missing;
  std::string shard_before;
  Query query(connection, all_used_sql);
  for (;;) {
    const Result<bool> row = query.next();
    if (!row) return fail(row.error());
    const std::string sha256 = *row ? query.text(0) : std::string();
    const std::string shard = *row ? shard_of(target_folder, sha256) : std::string();
    if (shard != shard_before) {
      if (!shard_before.empty())
        if (auto synced = sync_folder(shard_before); !synced) return synced;
      if (!shard.empty())
        if (auto made = make_folder(shard); !made) return made;
      shard_before = shard;
    }
    if (!*row) break;
    auto done = link_or_copy(path_of(store_->folder(), sha256), path_of(target_folder, sha256));
    if (!done && done.error().code != "no-content") return done;
    if (!done && missing++ == 0) first_missing = sha256;
  }
  if (auto synced = sync_folder(content_folder(target_folder)); !synced) return synced;
  if (missing > 0)
    return fail(ErrorDomain::local, "content-missing",
                std::to_string(missing) +
                    " contents that records refer to are not in the store, the first one " + first_missing +
                    "; everything else was copied");
  return {};
}

std::vector<StoredContent> contents_in(const model::Fields& fields) {
  std::vector<StoredContent> contents;
  const auto add = [&](const model::FieldValue& described) {
    const model::Fields* const object = described.if_object();
    const std::string_view name = object == nullptr ? std::string_view() : model::text_of(*object, "sha256");
    if (name.empty()) return;
    const model::FieldValue* const size = object->if_contains("size");
    boost::system::error_code no_count;
    const auto octets =
        size != nullptr && size->is_number() ? size->to_number<std::uint64_t>(no_count) : std::uint64_t{0};
    contents.push_back({.sha256 = std::string(name), .octets = no_count ? 0 : octets});
  };
  for (const std::string_view one : {"photo", "mime"})
    if (const model::FieldValue* const value = fields.if_contains(one)) add(*value);
  if (const model::FieldValue* const list = fields.if_contains("attachments"); list && list->is_array())
    for (const model::FieldValue& attachment : list->get_array()) add(attachment);
  return contents;
}

Result<void> set_content_of_record(Transaction& transaction, model::RecordId record,
                                   const std::vector<StoredContent>& contents) {
  if (auto forgotten = execute(transaction.impl(), forget_sql, record); !forgotten) return forgotten;
  for (const StoredContent& content : contents) {
    const auto octets = parse_sha256(content.sha256);
    if (!octets)
      return fail(ErrorDomain::local, "bad-content", "this is not the name of a content: " + content.sha256);
    auto put = execute(transaction.impl(), refer_sql, record, Blob{*octets},
                       static_cast<std::int64_t>(content.octets));
    if (!put) return put;
  }
  return {};
}

}  // namespace syncline::store
