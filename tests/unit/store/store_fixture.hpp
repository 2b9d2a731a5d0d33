// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// A store in a folder of its own, with a clock that stands until it is set.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/json/parse.hpp>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "store/configuration.hpp"
#include "store/links.hpp"
#include "store/records.hpp"
#include "store/store.hpp"

namespace syncline::store {

class ManualClock final : public Clock {
 public:
  SystemTime now() const override { return now_; }
  SteadyTime steady_now() const override { return SteadyTime(now_.time_since_epoch()); }
  void advance(std::chrono::milliseconds by) { now_ += by; }

 private:
  SystemTime now_{std::chrono::sys_days(std::chrono::year(2026) / 11 / 22)};
};

/// Counts durable writes; from `stop_before` or at `stop_after` (counted from 1) on it refuses or runs
/// `instead`.
class CountedWrites final : public DurableWrites {
 public:
  Result<void> before(std::string_view what) override {
    ++count;
    last = what;
    return count == stop_before ? stop() : Result<void>();
  }
  Result<void> after(std::string_view) override { return count == stop_after ? stop() : Result<void>(); }

  int count = 0;
  int stop_before = 0;
  int stop_after = 0;
  std::string last;
  std::function<void()> instead;

 private:
  Result<void> stop() {
    if (instead) instead();
    return fail(ErrorDomain::local, "stopped", "the test stops here");
  }
};

class StoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "syncline-store-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    base_ = name;
    folder_ = name + "/organisation";
    open();
  }
  void TearDown() override {
    store_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(base_, ignored);
  }

  void open(StoreOptions options = {.create = true}) {
    store_.reset();
    auto opened = Store::open(folder_, clock_, random_, options);
    ASSERT_TRUE(opened) << opened.error().describe();
    store_ = std::move(*opened);
  }

  template <class T>
  Result<T> write(const std::function<Result<T>(Transaction&)>& work) {
    return store_->write<T>(work);
  }
  Result<void> act(const std::function<Result<void>(Transaction&)>& work) {
    return store_
        ->write<bool>([&](Transaction& transaction) -> Result<bool> {
          if (auto done = work(transaction); !done) return fail(std::move(done.error()));
          return true;
        })
        .map([](bool) {});
  }
  template <class T>
  T read(const std::function<Result<T>(Transaction&)>& work) {
    Result<T> result = store_->read<T>(work);
    EXPECT_TRUE(result) << result.error().describe();
    return result ? std::move(*result) : T();
  }

  MailboxId make_mailbox(const std::string& address = "anna@example.org") {
    auto id = write<MailboxId>([&](Transaction& t) { return put_mailbox(t, {.address = address}); });
    EXPECT_TRUE(id) << id.error().describe();
    return id.value_or(0);
  }
  model::Record make_record(model::RecordKind kind, std::string_view json, const std::string& owner = {}) {
    auto record = write<model::Record>([&](Transaction& t) {
      return insert_record(t, {.kind = kind, .owner = owner, .fields = fields(json)});
    });
    EXPECT_TRUE(record) << record.error().describe();
    return record.value_or(model::Record());
  }

  static model::Fields fields(std::string_view json) {
    return boost::json::parse({json.data(), json.size()}).as_object();
  }

  /// Exit status of `work` in a process of its own; 128 + the signal if it was killed.
  static int in_child(const std::function<int()>& work) {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(work());
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  }

  std::string base_;
  std::string folder_;
  ManualClock clock_;
  SeededRandom random_{7};
  std::unique_ptr<Store> store_;
};

/// The code of a Result's error; "" if it has a value.
template <class T>
std::string code_of(const Result<T>& result) {
  return result ? std::string() : result.error().code;
}

}  // namespace syncline::store
