// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The record store: one SQLite database in WAL mode (synchronous=FULL). One writer at a time, in short
// transactions; readers beside it. The rows and what can be done with them are in the headers next to this
// one, each a set of free functions over Transaction. Errors are of domain local: "store-locked" (after),
// "disk-full", "store-damaged", "newer-schema", "io".
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/random.hpp"

struct sqlite3;

namespace syncline::store {

/// Asked before and after every durable write (commit, content file), so that a test can stop there.
class DurableWrites {
 public:
  virtual ~DurableWrites() = default;
  /// An error stops the write: nothing of it happens.
  virtual Result<void> before(std::string_view what) = 0;
  /// An error is given to the caller though the write is there.
  virtual Result<void> after(std::string_view what) = 0;
};

struct StoreOptions {
  bool create = false;  ///< else error "no-store" when there is none
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

class Store {
 public:
  /// `folder`/syncline.db. Migrates an older schema (after a copy `syncline.db.before-N` was made); a newer
  /// one is error "newer-schema".
  static Result<std::unique_ptr<Store>> open(const std::string& folder, const Clock& clock, Random& random,
                                             StoreOptions options = {});
  ~Store();

  /// Runs `work` in one write transaction: committed if it returns a value, rolled back if it returns an
  /// error. Never nested.
  template <class T>
  Result<T> write(const std::function<Result<T>(Transaction&)>& work) {
    Result<T> result = fail(ErrorDomain::local, "not-run", "");
    Result<void> done = run(true, [&](Transaction& transaction) -> Result<void> {
      result = work(transaction);
      if (!result) return fail(result.error());
      return {};
    });
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
  /// Copies the database consistently, beside running writers, to `target_folder`/syncline.db.
  Result<void> backup(const std::string& target_folder);
  /// PRAGMA integrity_check and foreign keys. Error "store-damaged" with SQLite's words.
  Result<void> check();

  static constexpr int schema_version = 1;

 private:
  struct State;
  explicit Store(std::unique_ptr<State> state);
  Result<void> run(bool writing, const std::function<Result<void>(Transaction&)>& work);
  std::unique_ptr<State> state_;
};

}  // namespace syncline::store
