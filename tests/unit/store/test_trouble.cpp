// SPDX-License-Identifier: GPL-3.0-or-later
// c-16: no store, damaged, newer, locked, full disk, read-only folder: each by its name, and nothing is
// damaged.
#include <fcntl.h>
#include <sched.h>
#include <sqlite3.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <fstream>

#include "store/content.hpp"
#include "store_fixture.hpp"

namespace syncline::store {
namespace {

class Trouble : public StoreTest {
 protected:
  std::string path() const { return folder_ + "/syncline.db"; }
  std::string open_code(StoreOptions options = {}) {
    store_.reset();
    return code_of(Store::open(folder_, clock_, random_, options));
  }
  void sql(const char* statements) {
    store_.reset();
    sqlite3* handle = nullptr;
    ASSERT_EQ(sqlite3_open(path().c_str(), &handle), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(handle, statements, nullptr, nullptr, nullptr), SQLITE_OK)
        << sqlite3_errmsg(handle);
    sqlite3_close(handle);
  }
  static std::string contents(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  /// Writes records until one is refused; the code of that, "" if none of 2000 was.
  static std::string write_until_refused(Store& store) {
    const std::string body(4000, 'x');
    for (int i = 0; i < 2000; ++i) {
      auto written = store.write<model::Record>([&](Transaction& t) {
        model::Record record;
        record.fields["subject"] = body;
        return insert_record(t, std::move(record));
      });
      if (!written) return written.error().code;
    }
    return {};
  }
};

TEST_F(Trouble, NoStoreIsSaidAndNothingIsMade) {
  folder_ = base_ + "/elsewhere";
  EXPECT_EQ(open_code(), "no-store");
  EXPECT_EQ(open_code({.read_only = true}), "no-store");
  EXPECT_FALSE(std::filesystem::exists(folder_));
}

TEST_F(Trouble, AnEmptyFileIsNoStore) {
  store_.reset();
  std::ofstream(path(), std::ios::trunc).close();
  EXPECT_EQ(open_code(), "store-damaged");
  EXPECT_EQ(std::filesystem::file_size(path()), 0u);
  // `init` that was killed after the first step begins again.
  EXPECT_EQ(open_code({.create = true}), "");
}

TEST_F(Trouble, AFileThatIsNoDatabaseIsDamaged) {
  store_.reset();
  std::ofstream(path(), std::ios::trunc) << std::string(8192, 'x');
  EXPECT_EQ(open_code(), "store-damaged");
  EXPECT_EQ(open_code({.create = true}), "store-damaged");
  EXPECT_EQ(contents(path()), std::string(8192, 'x'));
}

TEST_F(Trouble, AnotherProgramsDatabaseIsLeftAlone) {
  store_.reset();
  std::filesystem::remove(path());
  sql("CREATE TABLE theirs (a)");
  const std::string before = contents(path());
  EXPECT_EQ(open_code({.create = true}), "store-damaged");
  EXPECT_EQ(contents(path()), before);
}

TEST_F(Trouble, ANewerSchemaIsRefusedAndNotTouched) {
  sql("PRAGMA user_version=7");
  const std::string before = contents(path());
  store_.reset();
  auto refused = Store::open(folder_, clock_, random_, {});
  ASSERT_EQ(code_of(refused), "newer-schema");
  EXPECT_NE(refused.error().message.find("schema 7"), std::string::npos);
  EXPECT_EQ(open_code({.create = true}), "newer-schema");
  EXPECT_EQ(open_code({.read_only = true}), "newer-schema");
  EXPECT_EQ(contents(path()), before);
}

TEST_F(Trouble, DamagedPagesAreFoundByTheCheckAndByReading) {
  for (int i = 0; i < 200; ++i)
    make_record(model::RecordKind::task, R"({"subject":")" + std::string(500, 'a') + "\"}");
  sql("PRAGMA wal_checkpoint(TRUNCATE)");
  {
    std::fstream file(path(), std::ios::in | std::ios::out | std::ios::binary);
    const auto size = static_cast<std::streamoff>(std::filesystem::file_size(path()));
    const std::string noise(4096, '\x5a');
    for (std::streamoff at = size / 4; at + 4096 < size; at += 2 * 4096) {
      file.seekp(at / 4096 * 4096);
      file.write(noise.data(), 4096);
    }
  }
  auto opened = Store::open(folder_, clock_, random_, {});
  if (!opened) {
    EXPECT_EQ(opened.error().code, "store-damaged");
    return;
  }
  EXPECT_EQ(code_of((*opened)->check()), "store-damaged");
  auto listed =
      (*opened)->read<std::vector<model::Record>>([](Transaction& t) { return list_records(t, {}); });
  EXPECT_EQ(code_of(listed), "store-damaged");
}

TEST_F(Trouble, ARowThatIsNoJsonIsDamage) {
  const auto record = make_record(model::RecordKind::task, "{}");
  sql("UPDATE record SET fields = '{\"a\":'");
  open({});
  auto found =
      store_->read<std::optional<model::Record>>([&](Transaction& t) { return find_record(t, record.id); });
  EXPECT_EQ(code_of(found), "store-damaged");
}

TEST_F(Trouble, AForeignKeyThatPointsNowhereIsFoundByTheCheck) {
  sql("INSERT INTO cursor VALUES (99, 'inbox', 0, NULL, '', '')");
  open({});
  EXPECT_EQ(code_of(store_->check()), "store-damaged");
}

TEST_F(Trouble, AWriterInAnotherProgramIsWaitedForThenNamed) {
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open(path().c_str(), &other), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(other, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
  // A signal cannot end SQLite's wait of ten seconds; a child is not waited for that long either.
  const int status = in_child([&] {
    auto store = Store::open(folder_, clock_, random_, {});
    if (!store) return 1;
    ::alarm(1);
    auto done = (*store)->write<bool>([](Transaction& t) -> Result<bool> {
      if (auto put = put_setting(t, "a", "1"); !put) return fail(put.error());
      return true;
    });
    return done ? 0 : 2;
  });
  EXPECT_EQ(status, 128 + SIGALRM) << "it waits";
  EXPECT_EQ(sqlite3_exec(other, "COMMIT", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(other);
  EXPECT_TRUE(act([](Transaction& t) { return put_setting(t, "a", "1"); }));
}

TEST_F(Trouble, AFileThatMayNotGrowIsAFullDiskAndWhatWasCommittedStays) {
  const auto first = make_record(model::RecordKind::task, R"({"subject":"first"})");
  store_.reset();
  const int status = in_child([&] {
    ::signal(SIGXFSZ, SIG_IGN);
    auto store = Store::open(folder_, clock_, random_, {});
    if (!store) return 1;
    const rlimit limit{1 << 20, 1 << 20};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    if (write_until_refused(**store) != "disk-full") return 2;
    auto content = ContentStore::open(**store);
    if (!content) return 3;
    auto writer = content->create();
    if (!writer) return 4;
    const std::vector<std::byte> octets(2 << 20);
    if (code_of(writer->write(octets)) != "disk-full") return 5;
    if (writer->finish()) return 6;
    return 0;
  });
  EXPECT_EQ(status, 0);
  open({});
  EXPECT_TRUE(store_->check());
  EXPECT_TRUE(read<std::optional<model::Record>>([&](Transaction& t) { return find_record(t, first.id); }));
}

TEST_F(Trouble, AFullFileSystemIsAFullDiskAndTheStoreGoesOnWhenThereIsSpace) {
  store_.reset();
  const std::string mounted = base_ + "/small";
  ASSERT_TRUE(std::filesystem::create_directory(mounted));
  constexpr int not_possible = 77;
  const int status = in_child([&] {
    // A mount of our own, which goes with this process.
    if (::unshare(CLONE_NEWNS) != 0 && ::unshare(CLONE_NEWNS | CLONE_NEWUSER) != 0) return not_possible;
    if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return not_possible;
    if (::mount("tmpfs", mounted.c_str(), "tmpfs", 0, "size=2m") != 0) return not_possible;
    folder_ = mounted + "/organisation";
    auto store = Store::open(folder_, clock_, random_, {.create = true});
    if (!store) return 1;
    if (write_until_refused(**store) != "disk-full") return 2;
    auto count = (*store)->read<std::int64_t>(
        [](Transaction& t) { return count_records(t, model::RecordKind::email); });
    if (!count || *count == 0) return 3;
    if (::mount(nullptr, mounted.c_str(), nullptr, MS_REMOUNT, "size=16m") != 0) return 4;
    if (!(*store)->check()) return 5;
    auto written = (*store)->write<model::Record>([](Transaction& t) { return insert_record(t, {}); });
    if (!written || written->id != *count + 1) return 6;
    return 0;
  });
  if (status == not_possible) GTEST_SKIP() << "this machine lets us mount no tmpfs";
  EXPECT_EQ(status, 0);
}

TEST_F(Trouble, AFolderThatMayNotBeWrittenIsReadOnlyButCanBeRead) {
  ASSERT_TRUE(act([](Transaction& t) { return put_setting(t, "a", "1"); }));
  store_.reset();
  ASSERT_EQ(::chmod(base_.c_str(), 0755), 0);
  constexpr uid_t nobody = 65534;
  const bool as_root = ::geteuid() == 0;
  if (as_root) {
    ASSERT_EQ(::chown(folder_.c_str(), nobody, nobody), 0);
    ASSERT_EQ(::chown(path().c_str(), nobody, nobody), 0);
  }
  ASSERT_EQ(::chmod(folder_.c_str(), 0500), 0);
  const int status = in_child([&] {
    if (as_root && ::setresuid(nobody, nobody, nobody) != 0) return 1;
    if (open_code({}) != "read-only") return 2;
    if (open_code({.create = true}) != "read-only") return 3;
    auto store = Store::open(folder_, clock_, random_, {.read_only = true});
    if (!store) return 4;
    auto found =
        (*store)->read<std::optional<std::string>>([](Transaction& t) { return find_setting(t, "a"); });
    if (!found || *found != "1") return 5;
    folder_ = folder_ + "/within";
    if (open_code({.create = true}) != "read-only") return 6;
    return 0;
  });
  EXPECT_EQ(status, 0);
  ASSERT_EQ(::chmod(folder_.c_str(), 0700), 0);
}

}  // namespace
}  // namespace syncline::store
