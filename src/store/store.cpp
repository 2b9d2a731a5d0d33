// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/store.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <mutex>
#include <thread>
#include <vector>

#include "store/connection.hpp"
#include "store/files.hpp"
#include "store/schema.hpp"

namespace syncline::store {
namespace {

// synchronous=FULL: a commit is on the disk when it returns. Pages that are freed are overwritten where that
// costs no further page. The log is carried over when it has grown to 32 MB: pages of indices that every page
// of items changes are then written once instead of many times.
constexpr const char* write_settings =
    "PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA secure_delete=FAST; PRAGMA temp_store=MEMORY;"
    "PRAGMA cache_size=-6144; PRAGMA wal_autocheckpoint=8192; PRAGMA journal_size_limit=67108864;"
    "PRAGMA cell_size_check=ON; PRAGMA trusted_schema=OFF";
constexpr const char* read_settings =
    "PRAGMA query_only=ON; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-4096; PRAGMA cell_size_check=ON;"
    "PRAGMA trusted_schema=OFF";

bool exists(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0;
}

/// An empty file with our mode, on which SQLite then builds. Only if there is none: a descriptor of a
/// database in use must not be closed by this process, because that frees SQLite's locks (POSIX fcntl).
Result<void> create_file(const std::string& folder, const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600));
  if (!file) {
    if (errno == EEXIST) return {};
    return fail(file_error(errno, "create " + path));
  }
  return sync_folder(folder);
}

Result<void> use_wal(sqlite3* handle) {
  sqlite3_stmt* statement = nullptr;
  int code = sqlite3_prepare_v2(handle, "PRAGMA journal_mode=WAL", -1, &statement, nullptr);
  bool is_wal = false;
  if (code == SQLITE_OK) {
    code = sqlite3_step(statement);
    if (code == SQLITE_ROW) {
      const auto* mode = reinterpret_cast<const char*>(sqlite3_column_text(statement, 0));
      is_wal = mode && std::string_view(mode) == "wal";
    }
  }
  Result<void> result;
  if (code != SQLITE_ROW)
    result = fail(sqlite_error(handle, code));
  else if (!is_wal)
    result = fail(ErrorDomain::local, "io",
                  "the store's file system cannot share memory between programs (no WAL)");
  sqlite3_finalize(statement);
  return result;
}

}  // namespace

struct Store::State {
  std::string folder;
  std::string path;
  const Clock* clock = nullptr;
  DurableWrites* writes = nullptr;
  std::string organisation_id;
  Access reading = Access::read_write;
  bool read_only = false;

  std::mutex writing_mutex;
  std::atomic<std::thread::id> writing_thread;
  std::unique_ptr<Transaction::Impl> writer;

  std::mutex readers_mutex;
  std::vector<std::unique_ptr<Transaction::Impl>> idle_readers;

  Result<std::unique_ptr<Transaction::Impl>> take_reader() {
    {
      const std::lock_guard lock(readers_mutex);
      if (!idle_readers.empty()) {
        auto reader = std::move(idle_readers.back());
        idle_readers.pop_back();
        return reader;
      }
    }
    Result<Handle> handle = open_database(path, reading);
    if (!handle) return fail(std::move(handle.error()));
    if (auto set = run_script(handle->get(), read_settings); !set) return fail(std::move(set.error()));
    return std::make_unique<Transaction::Impl>(std::move(*handle), *clock);
  }

  void give_back(std::unique_ptr<Transaction::Impl> reader) {
    constexpr std::size_t most_idle = 8;
    const std::lock_guard lock(readers_mutex);
    if (idle_readers.size() < most_idle) idle_readers.push_back(std::move(reader));
  }

  Result<void> write(const std::function<Result<void>(Transaction&)>& work, Transaction& transaction,
                     Durability durability);
};

namespace {

/// Ends a transaction whatever way the work is left.
class Rollback {
 public:
  explicit Rollback(sqlite3* handle) : handle_(handle) {}
  Rollback(const Rollback&) = delete;
  Rollback& operator=(const Rollback&) = delete;
  ~Rollback() {
    if (!sqlite3_get_autocommit(handle_)) sqlite3_exec(handle_, "ROLLBACK", nullptr, nullptr, nullptr);
  }

 private:
  sqlite3* handle_;
};

/// Commits are handed to the system, and wait for the next one with synchronous=FULL to be on the disk: it
/// brings the whole log there (https://www.sqlite.org/pragma.html#pragma_synchronous). Around a transaction.
/// This pragma works when it is prepared, so a kept statement would do nothing.
class WithoutSync {
 public:
  explicit WithoutSync(sqlite3* handle) : handle_(handle) {
    static_cast<void>(run_script(handle_, "PRAGMA synchronous=NORMAL"));
  }
  WithoutSync(const WithoutSync&) = delete;
  WithoutSync& operator=(const WithoutSync&) = delete;
  ~WithoutSync() { static_cast<void>(run_script(handle_, "PRAGMA synchronous=FULL")); }

 private:
  sqlite3* handle_;
};

}  // namespace

Result<void> Store::State::write(const std::function<Result<void>(Transaction&)>& work,
                                 Transaction& transaction, Durability durability) {
  sqlite3* const handle = writer->handle();
  writer->begin_anew();
  std::optional<WithoutSync> later;
  if (durability == Durability::with_the_next) later.emplace(handle);
  if (auto begun = execute(*writer, "BEGIN IMMEDIATE"); !begun) return begun;
  const Rollback rollback(handle);
  const std::int64_t changes_before = sqlite3_total_changes64(handle);
  if (auto done = work(transaction); !done) return done;
  if (sqlite3_get_autocommit(handle))
    return fail(ErrorDomain::local, "io", "the store ended a transaction by itself after an earlier error");
  const bool changed = sqlite3_total_changes64(handle) != changes_before;
  if (!changed) return execute(*writer, "COMMIT");
  if (writes)
    if (auto allowed = writes->before("commit"); !allowed) return allowed;
  if (auto committed = execute(*writer, "COMMIT"); !committed) return committed;
  return writes ? writes->after("commit") : Result<void>();
}

Store::Store(std::unique_ptr<State> state) : state_(std::move(state)) {}
Store::~Store() = default;

Result<std::unique_ptr<Store>> Store::open(const std::string& folder, const Clock& clock, Random& random,
                                           StoreOptions options) {
  auto state = std::make_unique<State>();
  state->folder = folder;
  state->path = folder + "/syncline.db";
  state->clock = &clock;
  state->writes = options.durable_writes;
  state->read_only = options.read_only;
  const std::string& path = state->path;

  if (options.create && !options.read_only)
    if (auto made = make_folder(folder); !made) return fail(std::move(made.error()));
  if (!exists(path) && (!options.create || options.read_only)) {
    if (errno == EACCES) return fail(file_error(errno, "look into " + folder));
    return fail(ErrorDomain::local, "no-store",
                "there is no organisation in " + folder + " (no syncline.db)");
  }
  const bool folder_writable = ::access(folder.c_str(), W_OK | X_OK) == 0;
  if (!folder_writable && !options.read_only) return fail(file_error(errno, "write to folder " + folder));
  if (options.create && !options.read_only)
    if (auto created = create_file(folder, path); !created) return fail(std::move(created.error()));
  // SQLite wants its log's shared memory beside the file; where it cannot be made and there is no log, nobody
  // writes.
  if (options.read_only)
    state->reading = folder_writable || exists(path + "-wal") ? Access::read_only : Access::immutable;

  const auto opening = [&](Error error) { return fail(std::move(error).during("opening " + path)); };
  Result<Handle> handle = open_database(path, options.read_only ? state->reading : Access::read_write);
  if (!handle) return fail(std::move(handle.error()));
  if (!options.read_only && sqlite3_db_readonly(handle->get(), "main") == 1)
    return fail(file_error(EACCES, "write to " + path));
  // Before anything is set: a store of a newer program is not to be changed in the least.
  auto version = read_schema_version(handle->get());
  if (!version) return opening(std::move(version.error()));
  if (version->version > schema_version) return opening(newer_schema(path, version->version, schema_version));
  if (version->empty && !options.create)
    return opening(Error{.code = "store-damaged", .message = "the store is empty; restore a backup"});
  if (options.read_only) {
    if (version->version < schema_version)
      return opening(
          Error{.code = "older-schema",
                .message = "the store has an older schema; open it once with a command that may write"});
  } else {
    if (version->empty)
      if (auto set = run_script(handle->get(), "PRAGMA page_size=4096"); !set)
        return opening(std::move(set.error()));
    if (auto wal = use_wal(handle->get()); !wal) return opening(std::move(wal.error()));
    if (auto set = run_script(handle->get(), write_settings); !set) return opening(std::move(set.error()));
    if (auto done = migrate(handle->get(), path, migrations(), options.durable_writes); !done)
      return opening(std::move(done.error()));
    sqlite3_db_config(handle->get(), SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    state->writer = std::make_unique<Transaction::Impl>(std::move(*handle), clock);
  }
  handle->reset();

  std::unique_ptr<Store> store(new Store(std::move(state)));
  const auto read_id = [](Transaction& transaction) -> Result<std::string> {
    Query query(transaction.impl(), "SELECT id FROM organisation");
    auto id = read_one<std::string>(query, [](const Query& row) { return row.text(0); });
    if (!id) return fail(std::move(id.error()));
    return id->value_or("");
  };
  auto id = store->read<std::string>(read_id);
  if (id && id->empty() && !options.read_only) {
    const std::string made = random.uuid();
    id = store->write<std::string>([&](Transaction& transaction) -> Result<std::string> {
      // Another program may have made it at the same time: the first one counts.
      auto put = execute(transaction.impl(),
                         "INSERT INTO organisation (only, id) VALUES (1, ?1) ON CONFLICT DO NOTHING", made);
      if (!put) return fail(std::move(put.error()));
      return read_id(transaction);
    });
  }
  if (!id) return fail(std::move(id.error()).during("opening " + store->state_->path));
  store->state_->organisation_id = std::move(*id);
  return store;
}

Result<void> Store::run(bool writing, const std::function<Result<void>(Transaction&)>& work,
                        Durability durability) {
  if (!writing) {
    auto reader = state_->take_reader();
    if (!reader) return fail(std::move(reader.error()));
    Transaction transaction(**reader);
    Result<void> done;
    {
      if (auto begun = execute(**reader, "BEGIN"); !begun) return begun;
      const Rollback rollback((*reader)->handle());
      done = work(transaction);
    }
    state_->give_back(std::move(*reader));
    return done;
  }
  if (state_->read_only)
    return fail(ErrorDomain::local, "read-only", "the store was opened for reading only");
  const auto me = std::this_thread::get_id();
  if (state_->writing_thread.load() == me)
    return fail(ErrorDomain::local, "nested", "a write transaction was begun within another one");
  const std::lock_guard lock(state_->writing_mutex);
  struct Mark {
    std::atomic<std::thread::id>& thread;
    ~Mark() { thread.store(std::thread::id()); }
  } mark{state_->writing_thread};
  mark.thread.store(me);
  Transaction transaction(*state_->writer);
  return state_->write(work, transaction, durability);
}

const std::string& Store::folder() const noexcept {
  return state_->folder;
}
const Clock& Store::clock() const noexcept {
  return *state_->clock;
}
DurableWrites* Store::durable_writes() const noexcept {
  return state_->writes;
}
const std::string& Store::organisation_id() const noexcept {
  return state_->organisation_id;
}

Result<void> Store::backup(const std::string& target_folder) {
  const std::string target = target_folder + "/syncline.db";
  if (auto made = make_folder(target_folder); !made) return made;
  if (exists(target)) return fail(ErrorDomain::local, "target-exists", "there is a store already: " + target);
  auto reader = state_->take_reader();
  if (!reader) return fail(std::move(reader.error()));
  auto copied = copy_database((*reader)->handle(), target);
  state_->give_back(std::move(*reader));
  return copied;
}

Result<void> Store::check() {
  return read<bool>([](Transaction& transaction) -> Result<bool> {
           Query integrity(transaction.impl(), "PRAGMA integrity_check(10)");
           auto lines = read_all<std::string>(integrity, [](const Query& row) { return row.text(0); });
           if (!lines) return fail(std::move(lines.error()));
           if (lines->size() != 1 || lines->front() != "ok") {
             std::string said;
             for (const std::string& line : *lines) said += (said.empty() ? "" : "; ") + line;
             return fail(ErrorDomain::local, "store-damaged", "the store is damaged: " + said);
           }
           Query keys(transaction.impl(),
                      "SELECT \"table\", rowid, parent FROM pragma_foreign_key_check LIMIT 1");
           auto violation = read_one<std::string>(keys, [](const Query& row) {
             return row.text(0) + " row " + row.text(1) + " refers to a " + row.text(2) +
                    " that is not there";
           });
           if (!violation) return fail(std::move(violation.error()));
           if (*violation)
             return fail(ErrorDomain::local, "store-damaged", "the store is damaged: " + **violation);
           return true;
         })
      .map([](bool) {});
}

}  // namespace syncline::store
