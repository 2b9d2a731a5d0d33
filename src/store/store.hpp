// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The record store: one SQLite database in WAL mode (synchronous=FULL). One writer at a time, in short
// transactions; readers beside it. The rows and what can be done with them are in the headers next to this
// one, each a set of free functions over Transaction. Errors are of domain local: "store-locked" (after),
// "disk-full" (after), "read-only", "store-damaged", "newer-schema", "no-reference" (a row names a record,
// mailbox, profile or link that is not there), "io".
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/random.hpp"

struct sqlite3;

namespace syncline::store {

/// Asked before and after every durable write, so that a test can stop there. `what`: "commit", "content",
/// "schema". A write transaction that changed nothing is none. Asked under the store's lock: it may not use
/// the store.
class DurableWrites {
 public:
  virtual ~DurableWrites() = default;
  /// An error stops the write: nothing of it happens.
  virtual Result<void> before(std::string_view what) = 0;
  /// An error is given to the caller though the write is there.
  virtual Result<void> after(std::string_view what) = 0;
};

struct StoreOptions {
  /// Makes folder and store where there is none; else error "no-store".
  bool create = false;
  /// Nothing is written, no older schema migrated (error "older-schema"); works in a folder that nobody may
  /// write to.
  bool read_only = false;
  DurableWrites* durable_writes = nullptr;
};

class Store;

/// The statements of one unit of work. Made by Store only; not to be kept.
class Transaction {
 public:
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  class Impl;
  Impl& impl() noexcept { return impl_; }

 private:
  friend class Store;
  explicit Transaction(Impl& impl) : impl_(impl) {}
  Impl& impl_;
};

/// When a commit is on the disk. Whatever it is, it outlives the process at once.
enum class Durability : std::uint8_t {
  at_once,
  with_the_next,  ///< commit that is at_once: what may be asked for again after a power failure
};

/// May be used by several threads. Unused connections are kept for the next reader.
class Store {
 public:
  /// `folder`/syncline.db. Migrates an older schema (after a copy `syncline.db.before-N` was made); a newer
  /// one is error "newer-schema".
  static Result<std::unique_ptr<Store>> open(const std::string& folder, const Clock& clock, Random& random,
                                             StoreOptions options = {});
  ~Store();

  /// Runs `work` in one write transaction: committed if it returns a value, rolled back if it returns an
  /// error. Never nested: error "nested". Callers wait for each other, for those of other programs up to ten
  /// seconds.
  template <class T>
  Result<T> write(const std::function<Result<T>(Transaction&)>& work,
                  Durability durability = Durability::at_once) {
    Result<T> result = fail(ErrorDomain::local, "not-run", "");
    Result<void> done = run(
        true,
        [&](Transaction& transaction) -> Result<void> {
          result = work(transaction);
          if (!result) return fail(result.error());
          return {};
        },
        durability);
    if (!done) return fail(std::move(done.error()));
    return result;
  }
  /// The same, for reading: one consistent view.
  template <class T>
  Result<T> read(const std::function<Result<T>(Transaction&)>& work) {
    Result<T> result = fail(ErrorDomain::local, "not-run", "");
    Result<void> done = run(false, [&](Transaction& transaction) -> Result<void> {
      result = work(transaction);
      if (!result) return fail(result.error());
      return {};
    });
    if (!done) return fail(std::move(done.error()));
    return result;
  }

  const std::string& folder() const noexcept;
  const Clock& clock() const noexcept;
  DurableWrites* durable_writes() const noexcept;
  /// Random id of the organisation, made with the store.
  const std::string& organisation_id() const noexcept;
  /// Copies the database consistently, beside running writers, to `target_folder`/syncline.db; makes the
  /// folder if need be. Error "target-exists": there is one already; it is not touched.
  Result<void> backup(const std::string& target_folder);
  /// PRAGMA integrity_check and foreign keys. Error "store-damaged" with SQLite's words.
  Result<void> check();

  static constexpr int schema_version = 3;

 private:
  struct State;
  explicit Store(std::unique_ptr<State> state);
  Result<void> run(bool writing, const std::function<Result<void>(Transaction&)>& work,
                   Durability durability = Durability::at_once);
  std::unique_ptr<State> state_;
};

}  // namespace syncline::store
