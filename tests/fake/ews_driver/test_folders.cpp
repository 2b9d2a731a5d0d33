// SPDX-License-Identifier: GPL-3.0-or-later
// The tree of folders, searches.
#include <set>

#include "tests/fake/ews_driver/driver_fixture.hpp"

namespace syncline::ews {
namespace {

using exchange_sim::Action;
using exchange_sim::FaultRule;
using model::RecordKind;
using sync::FolderRole;
using testing::anna;

constexpr const char* letter =
    "From: c@partner.example\r\nTo: anna@example.com\r\nSubject: s\r\n\r\nhello\r\n";

class DriverFolders : public testing::DriverFixture {};

TEST_F(DriverFolders, RolesAndKindsAreKnownAfterOneRequest) {
  const auto folders = run(driver_.folders());
  ASSERT_TRUE(folders) << folders.error().describe();
  EXPECT_EQ(driver_.requests(), 1u);
  std::map<FolderRole, RecordKind> kinds;
  for (const sync::RemoteFolder& one : *folders)
    if (one.role != FolderRole::other) kinds[one.role] = one.kind;
  const std::map<FolderRole, RecordKind> wanted{{FolderRole::inbox, RecordKind::email},
                                                {FolderRole::sent, RecordKind::email},
                                                {FolderRole::drafts, RecordKind::email},
                                                {FolderRole::deleted, RecordKind::email},
                                                {FolderRole::calendar, RecordKind::appointment},
                                                {FolderRole::contacts, RecordKind::contact},
                                                {FolderRole::tasks, RecordKind::task}};
  EXPECT_EQ(kinds, wanted);
}

TEST_F(DriverFolders, RolesAreAskedForWhereTheServerDoesNotTellThem) {
  FaultRule rule;
  rule.action = Action::remove_element;
  rule.element = "DistinguishedFolderId";
  exchange_.fault("FindFolder", rule);
  EXPECT_EQ(folder("inbox").kind, RecordKind::email);
  EXPECT_EQ(requests("GetFolder"), 1u);
}

TEST_F(DriverFolders, ParentsComeBeforeTheirChildren) {
  ASSERT_TRUE(service_.add_folder(anna, "inbox", "Projects"));
  ASSERT_TRUE(service_.add_folder(anna, "inbox/Projects", "2026"));
  ASSERT_TRUE(service_.add_folder(anna, "calendar", "Team", "IPF.Appointment"));
  const auto folders = run(driver_.folders());
  ASSERT_TRUE(folders);
  std::set<std::string> all;
  for (const sync::RemoteFolder& one : *folders) all.insert(one.id);
  std::set<std::string> seen;
  for (const sync::RemoteFolder& one : *folders) {
    EXPECT_TRUE(!all.contains(one.parent_id) || seen.contains(one.parent_id)) << one.name;
    seen.insert(one.id);
  }
  EXPECT_EQ(folder("Team").kind, RecordKind::appointment);
  EXPECT_EQ(folder("2026").parent_id, folder("Projects").id);
}

TEST_F(DriverFolders, FoldersOfOtherThingsAreLeftOut) {
  ASSERT_TRUE(service_.add_folder(anna, "contacts", "Recipient Cache", "IPF.Contact.RecipientCache"));
  ASSERT_TRUE(service_.add_folder(anna, "msgfolderroot", "Sticky", "IPF.StickyNote"));
  ASSERT_TRUE(service_.add_folder(anna, "msgfolderroot", "Imap", ""));
  const auto folders = run(driver_.folders());
  ASSERT_TRUE(folders);
  for (const sync::RemoteFolder& one : *folders) {
    EXPECT_NE(one.name, "Recipient Cache");
    EXPECT_NE(one.name, "Sticky");
  }
  EXPECT_EQ(folder("Imap").kind, RecordKind::email);
}

TEST_F(DriverFolders, R02_ATreeThatContradictsItselfIsReadAnotherWay) {
  ASSERT_TRUE(service_.add_folder(anna, "inbox", "Projects"));
  ASSERT_TRUE(service_.add_folder(anna, "inbox/Projects", "2026"));
  const auto whole = run(driver_.folders());
  ASSERT_TRUE(whole);
  // The server's first answer has no folders at all, though it counts them.
  FaultRule rule;
  rule.action = Action::remove_element;
  rule.element = "Folders";
  exchange_.fault("FindFolder", rule);
  const auto doubted = run(driver_.folders());
  ASSERT_TRUE(doubted) << doubted.error().describe();
  EXPECT_GE(requests("SyncFolderHierarchy"), 1u);
  std::set<std::string> ids;
  for (const sync::RemoteFolder& one : *doubted) ids.insert(one.id);
  for (const sync::RemoteFolder& one : *whole) EXPECT_TRUE(ids.contains(one.id)) << one.name;
}

TEST_F(DriverFolders, AThousandFoldersComeOverPages) {
  for (int i = 0; i < 1200; ++i) ASSERT_TRUE(service_.add_folder(anna, "inbox", "f" + std::to_string(i)));
  const auto folders = run(driver_.folders());
  ASSERT_TRUE(folders);
  EXPECT_GE(folders->size(), 1200u);
  EXPECT_GE(requests("FindFolder"), 2u);
}

TEST_F(DriverFolders, R06_AMovedItemIsFoundByItsSearchKey) {
  ASSERT_TRUE(service_.add_folder(anna, "inbox", "Projects"));
  const std::string id = service_.deliver(anna, letter).value();
  ASSERT_TRUE(service_.deliver(anna, letter)) << "one that is alike";
  const std::string key = read(RecordKind::email, id, false).search_key;
  const std::string moved = service_.move_item(anna, id, "inbox/Projects").value();
  ASSERT_NE(moved, id);
  auto found = run(driver_.find(RecordKind::email, key));
  ASSERT_TRUE(found) << found.error().describe();
  ASSERT_TRUE(*found);
  EXPECT_EQ((*found)->item.id, moved);
  EXPECT_EQ((*found)->folder_id, folder("Projects").id);
  EXPECT_FALSE((*found)->in_deleted_items);

  const std::string back = service_.move_item(anna, moved, "inbox").value();
  found = run(driver_.find(RecordKind::email, key));
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->item.id, back);
}

TEST_F(DriverFolders, R06_ADeletedItemIsFoundInDeletedItemsAndAPurgedOneNowhere) {
  const std::string id = add("contacts", "<t:Contact><t:Surname>Meier</t:Surname></t:Contact>");
  const std::string key = read(RecordKind::contact, id).search_key;
  ASSERT_TRUE(service_.delete_item(anna, id));
  auto found = run(driver_.find(RecordKind::contact, key));
  ASSERT_TRUE(found) << found.error().describe();
  ASSERT_TRUE(*found);
  EXPECT_TRUE((*found)->in_deleted_items);
  ASSERT_TRUE(service_.delete_item(anna, (*found)->item.id, true));
  found = run(driver_.find(RecordKind::contact, key));
  ASSERT_TRUE(found);
  EXPECT_FALSE(*found);
}

TEST_F(DriverFolders, NowhereIsNotSaidOfAFolderThatCouldNotBeLookedInto) {
  FaultRule rule;
  rule.action = Action::response_code;
  rule.code = "ErrorAccessDenied";
  rule.index = 0;
  exchange_.fault("FindItem", rule);
  const auto found = run(driver_.find(RecordKind::email, "AAAA"));
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, "ErrorAccessDenied");
}

TEST_F(DriverFolders, R10_AllItemsAreListedWhateverThePages) {
  ASSERT_TRUE(service_.generate(anna, {.messages = 2345, .message_bytes = 600}));
  const auto inbox = folder("inbox");
  const auto all = run(driver_.list(inbox));
  ASSERT_TRUE(all) << all.error().describe();
  EXPECT_EQ(all->size(), 2345u);
  EXPECT_FALSE(all->front().version.empty());
  const SystemTime long_ago{};
  const auto received = run(driver_.received_since(inbox, long_ago));
  ASSERT_TRUE(received) << received.error().describe();
  EXPECT_EQ(received->size(), 2345u) << "pages of 250, with a restriction";
  FaultRule rule;
  rule.action = Action::partial_page;
  rule.limit = 77;
  exchange_.fault("FindItem", rule);
  const auto again = run(driver_.list(inbox));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->size(), 2345u);
}

TEST_F(DriverFolders, Invariant15_ReceivedSinceGivesTheNewestFirstFromTheInstantOn) {
  std::vector<std::string> ids;
  std::vector<SystemTime> times;
  for (int i = 0; i < 3; ++i) {
    times.push_back(world_.now());
    ids.push_back(service_.deliver(anna, letter).value());
    world_.run_for(std::chrono::hours(1));
  }
  const auto received = run(driver_.received_since(folder("inbox"), times[1]));
  ASSERT_TRUE(received) << received.error().describe();
  EXPECT_EQ(*received, (std::vector<std::string>{ids[2], ids[1]}));
}

}  // namespace
}  // namespace syncline::ews
