// SPDX-License-Identifier: GPL-3.0-or-later
// Feeds: pages, cursors, resync (R-01), read flags (R-05), folders without SyncFolderItems (R-09).
#include <set>

#include "ews/driver/feed_cursor.hpp"
#include "tests/fake/ews_driver/driver_fixture.hpp"

namespace syncline::ews {
namespace {

using What = sync::FeedEntry::What;
using testing::anna;

constexpr const char* letter =
    "From: c@partner.example\r\nTo: anna@example.com\r\nSubject: s\r\n\r\nhello\r\n";

class DriverFeeds : public testing::DriverFixture {
 protected:
  static std::set<std::string> ids_of(const std::vector<sync::FeedEntry>& entries) {
    std::set<std::string> ids;
    for (const sync::FeedEntry& entry : entries) ids.insert(entry.item.id);
    return ids;
  }
};

TEST_F(DriverFeeds, PagesComeNewestFirstAndGoOnAfterARestart) {
  ASSERT_TRUE(service_.generate(anna, {.messages = 1100, .message_bytes = 600}));
  const std::string newest = service_.deliver(anna, letter).value();
  const auto inbox = folder("inbox");
  auto page = run(driver_.pull(inbox, ""));
  ASSERT_TRUE(page) << page.error().describe();
  EXPECT_EQ(page->entries.size(), 512u);
  EXPECT_FALSE(page->last);
  EXPECT_EQ(page->entries.front().item.id, newest);
  EXPECT_FALSE(page->entries.front().item.version.empty());

  EwsDriver after_restart(client_, {.mailbox = anna});
  std::set<std::string> ids = ids_of(page->entries);
  std::string cursor = page->cursor;
  for (bool last = false; !last;) {
    auto next = run(after_restart.pull(inbox, cursor));
    ASSERT_TRUE(next) << next.error().describe();
    for (const sync::FeedEntry& entry : next->entries) EXPECT_TRUE(ids.insert(entry.item.id).second);
    cursor = next->cursor;
    last = next->last;
  }
  EXPECT_EQ(ids.size(), 1101u);
  const auto quiet = run(driver_.pull(inbox, cursor));
  ASSERT_TRUE(quiet);
  EXPECT_TRUE(quiet->entries.empty());
  EXPECT_TRUE(quiet->last);
}

TEST_F(DriverFeeds, R05_ReadFlagsNeedNoReading) {
  const auto inbox = folder("inbox");
  std::string cursor;
  std::vector<std::string> ids;
  for (int i = 0; i < 1000; ++i) ids.push_back(service_.deliver(anna, letter).value());
  EXPECT_EQ(pull_all(inbox, cursor).size(), 1000u);
  for (const bool is_read : {true, false}) {
    for (const std::string& id : ids) ASSERT_TRUE(service_.set_read(anna, id, is_read));
    const auto entries = pull_all(inbox, cursor);
    ASSERT_EQ(entries.size(), 1000u);
    for (const sync::FeedEntry& entry : entries) {
      EXPECT_EQ(entry.what, What::read_flag);
      EXPECT_EQ(entry.is_read, is_read);
    }
  }
  EXPECT_EQ(requests("GetItem"), 0u);
}

TEST_F(DriverFeeds, ChangesAndDeletesAreToldApart) {
  const auto contacts = folder("contacts");
  std::string cursor;
  const std::string changed = add("contacts", "<t:Contact><t:Surname>A</t:Surname></t:Contact>");
  const std::string deleted = add("contacts", "<t:Contact><t:Surname>B</t:Surname></t:Contact>");
  EXPECT_EQ(pull_all(contacts, cursor).size(), 2u);
  ASSERT_TRUE(service_.edit_item(anna, changed, "contacts:Surname", "C"));
  ASSERT_TRUE(service_.delete_item(anna, deleted));
  std::map<std::string, What> seen;
  for (const sync::FeedEntry& entry : pull_all(contacts, cursor)) seen[entry.item.id] = entry.what;
  EXPECT_EQ(seen, (std::map<std::string, What>{{changed, What::changed}, {deleted, What::deleted}}));
}

TEST_F(DriverFeeds, R01_ARefusedStateIsAResyncAndTheFeedStartsAgain) {
  const auto inbox = folder("inbox");
  std::string cursor;
  ASSERT_TRUE(service_.deliver(anna, letter));
  EXPECT_EQ(pull_all(inbox, cursor).size(), 1u);
  ASSERT_TRUE(service_.invalidate_sync_states(anna, "inbox"));
  const auto refused = run(driver_.pull(inbox, cursor));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().retry, RetryClass::resync);
  EXPECT_EQ(refused.error().code, "ErrorInvalidSyncStateData");
  std::string fresh;
  EXPECT_EQ(pull_all(inbox, fresh).size(), 1u);
}

TEST_F(DriverFeeds, CursorsThatAreNoneOrOfAnotherKindAreAResync) {
  const auto inbox = folder("inbox");
  for (const std::string& cursor :
       {std::string("H4sIAAA="), std::string("{}"), std::string("[]"), std::string(R"({"kind":"sync"})"),
        std::string(R"({"kind":"find","at":"","seen":[1]})"),
        to_text(FindCursor{.at = "2026-01-05T08:00:00Z"}), std::string(100'000, '[')}) {
    const auto refused = run(driver_.pull(inbox, cursor));
    ASSERT_FALSE(refused) << cursor.substr(0, 80);
    EXPECT_EQ(refused.error().retry, RetryClass::resync);
    EXPECT_EQ(refused.error().code, "bad-cursor");
  }
  EXPECT_EQ(requests("SyncFolderItems"), 0u);
}

TEST_F(DriverFeeds, R12_PassingTroubleIsOutlastedAndLastingTroubleIsTold) {
  ASSERT_TRUE(service_.deliver(anna, letter));
  const auto inbox = folder("inbox");
  exchange_sim::FaultRule busy;
  busy.action = exchange_sim::Action::busy;
  busy.wait = std::chrono::seconds(90);
  busy.place = exchange_sim::BusyPlace::message;
  busy.times = 2;
  exchange_.fault("SyncFolderItems", busy);
  const auto started = world_.elapsed();
  const auto page = run(driver_.pull(inbox, ""));
  ASSERT_TRUE(page) << page.error().describe();
  EXPECT_EQ(page->entries.size(), 1u);
  EXPECT_GE(world_.elapsed() - started, std::chrono::seconds(180)) << "the server's own hints";

  exchange_.lose_reply("SyncFolderItems", 1000);
  const auto lost = run(driver_.pull(inbox, ""));
  ASSERT_FALSE(lost);
  EXPECT_NE(lost.error().retry, RetryClass::never);
}

TEST_F(DriverFeeds, ADeletedFolderIsGone) {
  ASSERT_TRUE(service_.add_folder(anna, "inbox", "Projects"));
  const auto projects = folder("Projects");
  ASSERT_TRUE(service_.delete_folder(anna, "inbox/Projects"));
  auto refused = run(driver_.pull(projects, ""));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "gone");
  EXPECT_EQ(refused.error().retry, RetryClass::never);
}

class DriverPublicFolders : public DriverFeeds {
 protected:
  DriverPublicFolders() {
    EXPECT_TRUE(service_.add_folder(anna, "publicfoldersroot", "Board"));
    EXPECT_TRUE(service_.add_folder(anna, "publicfoldersroot/Board", "Minutes"));
    auto folders = run(public_.folders());
    EXPECT_TRUE(folders) << folders.error().describe();
    for (const sync::RemoteFolder& one : *folders)
      if (one.name == "Minutes") minutes_ = one;
    EXPECT_FALSE(minutes_.id.empty());
  }
  std::string add_mail() {
    return service_.add_mime(anna, "publicfoldersroot/Board/Minutes", letter).value();
  }
  std::vector<sync::FeedEntry> pull_public(std::string& cursor) {
    std::vector<sync::FeedEntry> entries;
    for (;;) {
      auto page = run(public_.pull(minutes_, cursor));
      EXPECT_TRUE(page) << page.error().describe();
      if (!page) return entries;
      entries.insert(entries.end(), page->entries.begin(), page->entries.end());
      cursor = page->cursor;
      if (page->last) return entries;
    }
  }

  EwsDriver public_{client_, {.mailbox = anna, .store = StoreKind::public_folders}};
  sync::RemoteFolder minutes_;
};

TEST_F(DriverPublicFolders, R09_AreReadByTheTimeOfTheirChanges) {
  std::set<std::string> added;
  for (int i = 0; i < 1300; ++i) added.insert(add_mail());  // all within one second
  std::string cursor;
  EXPECT_EQ(ids_of(pull_public(cursor)), added);
  EXPECT_TRUE(pull_public(cursor).empty());

  // The same second again, and a later one.
  const std::string same_second = add_mail();
  EXPECT_EQ(ids_of(pull_public(cursor)), std::set<std::string>{same_second});
  world_.run_for(std::chrono::seconds(90));
  const std::string later = add_mail();
  ASSERT_TRUE(service_.edit_item(anna, same_second, "item:Subject", "changed"));
  EXPECT_EQ(ids_of(pull_public(cursor)), (std::set<std::string>{later, same_second}));
  EXPECT_TRUE(pull_public(cursor).empty());
  EXPECT_EQ(requests("SyncFolderItems"), 0u) << "chosen by the kind of store, not by waiting for an error";
}

TEST_F(DriverPublicFolders, R09_DeletesAreFoundByTheList) {
  const std::string kept = add_mail();
  const std::string gone = add_mail();
  ASSERT_TRUE(service_.delete_item(anna, gone, true));
  const auto listed = run(public_.list(minutes_));
  ASSERT_TRUE(listed) << listed.error().describe();
  ASSERT_EQ(listed->size(), 1u);
  EXPECT_EQ(listed->front().id, kept);
}

TEST_F(DriverPublicFolders, ASyncStateIsNoCursorHere) {
  const auto refused = run(public_.pull(minutes_, to_text(SyncCursor{.state = "x"})));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().retry, RetryClass::resync);
}

}  // namespace
}  // namespace syncline::ews
