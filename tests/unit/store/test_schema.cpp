// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/schema.hpp"

#include <array>
#include <fstream>

#include "store_fixture.hpp"

namespace syncline::store {
namespace {

constexpr std::array first_programs = {
    Migration{1, "CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT"}};
constexpr std::array third_programs = {
    first_programs[0], Migration{2, "ALTER TABLE note ADD COLUMN author TEXT NOT NULL DEFAULT 'nobody'"},
    Migration{3,
              "CREATE TABLE author (name TEXT PRIMARY KEY) STRICT;"
              "INSERT INTO author SELECT DISTINCT author FROM note"}};

class Migrations : public StoreTest {
 protected:
  void SetUp() override {
    StoreTest::SetUp();
    path_ = base_ + "/notes.db";
    std::ofstream(path_).close();
    open_notes();
  }
  void open_notes() {
    handle_.reset();
    auto handle = open_database(path_, Access::read_write);
    ASSERT_TRUE(handle);
    handle_ = std::move(*handle);
  }
  std::int64_t number(const char* sql) { return pragma_integer(handle_.get(), sql).value_or(-1); }
  bool there(const std::string& suffix) const { return std::filesystem::exists(path_ + suffix); }
  void make_first() {
    ASSERT_TRUE(migrate(handle_.get(), path_, first_programs, nullptr));
    ASSERT_TRUE(run_script(handle_.get(), "INSERT INTO note (text) VALUES ('hello')"));
  }

  std::string path_;
  Handle handle_;
};

TEST_F(Migrations, MakeAnEmptyFileCurrentWithoutACopy) {
  ASSERT_TRUE(migrate(handle_.get(), path_, third_programs, nullptr));
  EXPECT_EQ(number("PRAGMA user_version"), 3);
  EXPECT_EQ(number("PRAGMA application_id"), application_id);
  EXPECT_FALSE(there(".before-0"));
}

TEST_F(Migrations, BringAnOlderStoreForwardAndKeepACopyOfIt) {
  make_first();
  auto migrated = migrate(handle_.get(), path_, third_programs, nullptr);
  ASSERT_TRUE(migrated) << migrated.error().describe();
  EXPECT_EQ(number("PRAGMA user_version"), 3);
  EXPECT_EQ(number("SELECT count(*) FROM author WHERE name = 'nobody'"), 1);
  ASSERT_TRUE(there(".before-1"));
  path_ += ".before-1";
  open_notes();
  EXPECT_EQ(number("PRAGMA user_version"), 1);
  EXPECT_EQ(number("SELECT count(*) FROM note WHERE text = 'hello'"), 1);
}

TEST_F(Migrations, DoNothingToAStoreThatIsCurrent) {
  make_first();
  CountedWrites writes;
  EXPECT_TRUE(migrate(handle_.get(), path_, first_programs, &writes));
  EXPECT_EQ(writes.count, 0);
  EXPECT_FALSE(there(".before-1"));
}

TEST_F(Migrations, HappenAsAWholeOrNotAtAll) {
  make_first();
  const std::array broken = {third_programs[0], third_programs[1], Migration{3, "CREATE TABLE note (a)"}};
  EXPECT_FALSE(migrate(handle_.get(), path_, broken, nullptr));
  EXPECT_EQ(number("PRAGMA user_version"), 1);
  EXPECT_EQ(number("SELECT count(*) FROM pragma_table_info('note')"), 2);
  CountedWrites writes;
  writes.stop_before = 1;
  EXPECT_EQ(code_of(migrate(handle_.get(), path_, third_programs, &writes)), "stopped");
  EXPECT_EQ(number("PRAGMA user_version"), 1);
  EXPECT_TRUE(migrate(handle_.get(), path_, third_programs, &writes));
  EXPECT_EQ(number("PRAGMA user_version"), 3);
}

TEST_F(Migrations, ThatLeaveRowsPointingNowhereAreRefused) {
  make_first();
  const std::array broken = {first_programs[0],
                             Migration{2,
                                       "CREATE TABLE part (note INTEGER REFERENCES note (id)) STRICT;"
                                       "INSERT INTO part VALUES (77)"}};
  EXPECT_EQ(code_of(migrate(handle_.get(), path_, broken, nullptr)), "store-damaged");
  EXPECT_EQ(number("PRAGMA user_version"), 1);
  EXPECT_EQ(number("PRAGMA foreign_keys"), 1);
}

TEST_F(Migrations, DoNotBeginWithoutTheCopy) {
  make_first();
  // In the copy's way, and not to be removed.
  ASSERT_TRUE(std::filesystem::create_directories(path_ + ".before-1.partial/full"));
  EXPECT_FALSE(migrate(handle_.get(), path_, third_programs, nullptr));
  EXPECT_EQ(number("PRAGMA user_version"), 1);
}

TEST_F(Migrations, RefuseANewerStore) {
  ASSERT_TRUE(migrate(handle_.get(), path_, third_programs, nullptr));
  EXPECT_EQ(code_of(migrate(handle_.get(), path_, first_programs, nullptr)), "newer-schema");
  EXPECT_EQ(number("PRAGMA user_version"), 3);
}

TEST_F(Migrations, OfTheStoreHappenWhenItIsOpened) {
  store_.reset();
  path_ = folder_ + "/syncline.db";
  std::filesystem::remove(path_);
  std::ofstream(path_).close();
  open_notes();
  // Ours by its mark, from before there was a schema.
  const std::string mark = "CREATE TABLE old (a); PRAGMA application_id=" + std::to_string(application_id);
  ASSERT_TRUE(run_script(handle_.get(), mark.c_str()));
  handle_.reset();
  EXPECT_EQ(code_of(Store::open(folder_, clock_, random_, {.read_only = true})), "older-schema");
  open({});
  EXPECT_TRUE(std::filesystem::exists(path_ + ".before-0"));
  EXPECT_TRUE(act([](Transaction& t) { return put_setting(t, "a", "1"); }));
  EXPECT_TRUE(store_->check());
}

TEST_F(Migrations, OfThisProgramKeepWhatTheFirstSchemaHeld) {
  ASSERT_TRUE(migrate(handle_.get(), path_, migrations().first(1), nullptr));
  ASSERT_TRUE(run_script(
      handle_.get(),
      "INSERT INTO organisation VALUES (1, 'contoso');"
      "INSERT INTO mailbox VALUES (1, 'ada@example.org', NULL, 1, '{}', '{}');"
      "INSERT INTO record VALUES (1, 0, NULL, 'ada@example.org', 1, 0, 1, NULL, NULL, NULL, NULL, 0, '{}');"
      "INSERT INTO folder VALUES (1, 1, 'inbox');"
      "INSERT INTO link VALUES (1, 1, 1, 0, 1, 0, 1, NULL, 0, 'AAMk=', 'key-1', '', NULL, "
      "'{\"subject\":\"one\"}')"));
  auto migrated = migrate(handle_.get(), path_, migrations(), nullptr);
  ASSERT_TRUE(migrated) << migrated.error().describe();
  EXPECT_EQ(number("PRAGMA user_version"), Store::schema_version);
  EXPECT_EQ(number("SELECT count(*) FROM link WHERE remote_id = 'AAMk=' AND remote_version = 'key-1'"
                   " AND base = '{\"subject\":\"one\"}'"),
            1);
}

TEST_F(Migrations, OfThisProgramKeepWhatTheSecondSchemaHeldOfPlacements) {
  ASSERT_TRUE(migrate(handle_.get(), path_, migrations().first(2), nullptr));
  ASSERT_TRUE(run_script(handle_.get(),
                         "INSERT INTO organisation VALUES (1, 'contoso');"
                         "INSERT INTO mailbox VALUES (1, 'found@example.org', NULL, 1, '{}', '{}'),"
                         " (2, 'parked@example.org', NULL, 0, '{}', '{}'),"
                         " (3, 'lost@example.org', NULL, 1, '{}', '{}');"
                         "INSERT INTO placement VALUES (1, 11, NULL, '', '{\"a\":1}', ''),"
                         " (2, 12, 5, 'it moved', '{\"a\":2}', ''),"
                         " (3, 13, NULL, '', '{\"a\":3}', 'no answer')"));
  auto migrated = migrate(handle_.get(), path_, migrations(), nullptr);
  ASSERT_TRUE(migrated) << migrated.error().describe();
  const auto row = [&](const std::string& values) {
    return number(("SELECT count(*) FROM placement WHERE requested_at IS NULL AND requested_by = '' AND "
                   "follow = 0 AND " +
                   values)
                      .c_str());
  };
  EXPECT_EQ(row("mailbox = 1 AND looked_at = 11 AND state = 0 AND text = '' AND facts = '{\"a\":1}' AND "
                "parked_at IS NULL"),
            1);
  EXPECT_EQ(row("mailbox = 2 AND looked_at = 12 AND state = 2 AND text = 'it moved' AND parked_at = 5 AND "
                "parked_why = 'it moved'"),
            1);
  EXPECT_EQ(row("mailbox = 3 AND looked_at = 13 AND state = 3 AND text = 'no answer' AND parked_at IS NULL"),
            1);
  // They still go with their mailbox.
  ASSERT_TRUE(run_script(handle_.get(), "DELETE FROM mailbox WHERE id = 2"));
  EXPECT_EQ(number("SELECT count(*) FROM placement"), 2);
}

TEST_F(Migrations, OfThisProgramEndAtItsVersionWithoutGaps) {
  int version = 0;
  for (const Migration& step : migrations()) EXPECT_EQ(step.to, ++version);
  EXPECT_EQ(version, Store::schema_version);
}

}  // namespace
}  // namespace syncline::store
