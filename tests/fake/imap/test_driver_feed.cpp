// SPDX-License-Identifier: GPL-3.0-or-later
// The feed of an IMAP folder (invariant 16, R-28, R-29), with servers that keep to the RFCs and with those
// that do not. Every test is run with what each kind of server offers, where that makes a difference.
#include <algorithm>

#include "tests/fake/imap/driver_fixture.hpp"

namespace syncline::imap {
namespace {

using testing::DriverTest;
using testing::FakeImap;
using testing::Round;
using testing::TextContent;
using Modseq = FakeImap::Modseq;

class Feed : public DriverTest {};

class FeedOfEveryServer : public DriverTest, public ::testing::WithParamInterface<Modseq> {
 protected:
  void SetUp() override { server_.modseq = GetParam(); }
};

TEST_P(FeedOfEveryServer, GivesAllMessagesNewestFirstInPages) {
  fill(25);
  start();
  const Round round = pulled({}, 10);
  EXPECT_EQ(round.pages, 3U);
  ASSERT_EQ(round.changed.size(), 25U);
  EXPECT_EQ(round.changed.front(), id(25));
  EXPECT_EQ(round.changed.back(), id(1));
}

TEST_P(FeedOfEveryServer, GoesOnAfterEveryPageWithADriverThatKnowsNothing) {
  fill(25);
  start();
  std::vector<std::string> changed;
  std::string cursor;
  for (int page = 0; page < 3; ++page) {
    const sync::RemoteFolder from = folder();
    auto next = world_.run(driver_->pull(from, cursor, 10));
    ASSERT_TRUE(next) << next.error().describe();
    for (const auto& entry : next->entries) changed.push_back(entry.item.id);
    cursor = next->cursor;
    // Mail comes and goes while we are away: it is of the next round.
    if (page == 0) inbox().add(mail(26));
    if (page == 1) inbox().expunge(20);
    restart();
  }
  EXPECT_EQ(changed.size(), 25U);
  const Round after = pulled(cursor);
  EXPECT_EQ(after.changed, std::vector<std::string>{id(26)});
  EXPECT_EQ(after.deleted, std::set<std::string>{id(20)});
}

TEST_P(FeedOfEveryServer, TellsWhatCameWhatWentAndWhatWasRead) {
  fill(10);
  start();
  const Round first = pulled();
  inbox().expunge(3);
  inbox().flag(4, "\\Seen");
  inbox().add(mail(11));
  const Round second = pulled(first.cursor);
  EXPECT_EQ(second.changed, std::vector<std::string>{id(11)});
  EXPECT_EQ(second.deleted, std::set<std::string>{id(3)});
  EXPECT_EQ(second.read_flags, (std::map<std::string, bool>{{id(4), true}}));
  inbox().flag(4, "\\Seen", false);
  restart();
  const Round third = pulled(second.cursor);
  EXPECT_TRUE(third.changed.empty());
  EXPECT_TRUE(third.deleted.empty());
  EXPECT_EQ(third.read_flags, (std::map<std::string, bool>{{id(4), false}}));
}

TEST_P(FeedOfEveryServer, WithNothingNewTheCursorStaysAndNothingIsFetched) {
  fill(10);
  start();
  const Round first = pulled();
  const Round warm = pulled(first.cursor);
  const std::size_t before = server_.commands.size();
  const Round second = pulled(warm.cursor);
  EXPECT_EQ(second.cursor, warm.cursor);
  EXPECT_TRUE(second.changed.empty() && second.deleted.empty() && second.read_flags.empty());
  // SELECT, and a scan of the flags where nothing else tells.
  EXPECT_LE(server_.commands.size() - before, GetParam() == Modseq::none ? 2U : 1U);
}

TEST_P(FeedOfEveryServer, AnEmptyFolderIsEmpty) {
  start();
  const Round first = pulled();
  EXPECT_TRUE(first.changed.empty());
  inbox().add(mail(1));
  const Round second = pulled(first.cursor);
  EXPECT_EQ(second.changed, std::vector<std::string>{id(1)});
  inbox().expunge(1);
  const Round third = pulled(second.cursor);
  EXPECT_EQ(third.deleted, std::set<std::string>{id(1)});
}

TEST_P(FeedOfEveryServer, MessagesThatCameAndWentBetweenTwoRoundsLeaveNoTrace) {
  fill(3);
  start();
  const Round first = pulled();
  inbox().add(mail(4));
  inbox().expunge(4);
  const Round second = pulled(first.cursor);
  EXPECT_TRUE(second.changed.empty());
  inbox().add(mail(5));
  EXPECT_EQ(pulled(second.cursor).changed, std::vector<std::string>{id(5)});
}

TEST_P(FeedOfEveryServer, UidNextMayBeMissing) {
  server_.says_uid_next = false;
  fill(5);
  start();
  const Round first = pulled();
  EXPECT_EQ(first.changed.size(), 5U);
  inbox().add(mail(6));
  EXPECT_EQ(pulled(first.cursor).changed, std::vector<std::string>{id(6)});
}

TEST_P(FeedOfEveryServer, ANewUidvalidityMeansToBeginAnewAndOldIdsAreGone) {
  fill(3);
  start();
  const Round first = pulled();
  const std::string old = id(2);
  const auto before = read({old});
  ASSERT_TRUE(before.at(0));
  inbox().uid_validity = 99;
  // The server numbers anew: what was 2 is 7.
  for (auto& message : inbox().messages) message.uid += 5;
  inbox().uid_next += 5;
  const auto again = pull(first.cursor);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().retry, RetryClass::resync);
  EXPECT_EQ(again.error().code, "uidvalidity-changed");
  const Round anew = pulled();
  EXPECT_EQ(anew.changed.size(), 3U);
  // By this the heart knows them again: same key, and the old id is gone.
  const auto after = read({id(7), old});
  ASSERT_TRUE(after.at(0));
  EXPECT_EQ(after.at(0)->search_key, before.at(0)->search_key);
  ASSERT_FALSE(after.at(1));
  EXPECT_EQ(after.at(1).error().code, "gone");
}

TEST_P(FeedOfEveryServer, AConnectionThatEndedMeanwhileIsMadeAnew) {
  fill(5);
  start();
  const Round first = pulled();
  inbox().add(mail(6));
  server_.drop_after_commands = server_.commands.size() + 1;
  EXPECT_EQ(pulled(first.cursor).changed, std::vector<std::string>{id(6)});
  EXPECT_EQ(server_.connections, 2U);
}

INSTANTIATE_TEST_SUITE_P(Servers, FeedOfEveryServer,
                         ::testing::Values(Modseq::none, Modseq::condstore, Modseq::qresync),
                         [](const auto& one) {
                           return one.param == Modseq::none        ? "NoModseq"
                                  : one.param == Modseq::condstore ? "Condstore"
                                                                   : "Qresync";
                         });

TEST_F(Feed, AVanishedThatTakesTooMuchIsCheckedFirst) {
  fill(300);
  start();
  const Round first = pulled();
  server_.lies_vanished = "1:26183";
  inbox().expunge(7);
  const Round second = pulled(first.cursor);
  EXPECT_EQ(second.deleted, std::set<std::string>{id(7)}) << "the others are still there";
  EXPECT_GE(server_.count("UID SEARCH"), 2U);
  EXPECT_FALSE(driver_->take_warnings().empty());
}

TEST_F(Feed, ARealWipeIsToldAfterTheCheck) {
  fill(300);
  start();
  const Round first = pulled();
  for (std::uint32_t uid = 1; uid <= 300; ++uid) inbox().expunge(uid);
  const Round second = pulled(first.cursor);
  EXPECT_EQ(second.deleted.size(), 300U);
}

TEST_F(Feed, AFewVanishedAreBelievedAsTheyAre) {
  fill(300);
  start();
  const Round first = pulled();
  const std::size_t before = server_.count("UID SEARCH");
  inbox().expunge(7);
  EXPECT_EQ(pulled(first.cursor).deleted, std::set<std::string>{id(7)});
  EXPECT_EQ(server_.count("UID SEARCH"), before);
}

TEST_F(Feed, AServerThatForgetsToTellOfExpungesIsFoundOutByItsCount) {
  server_.forgets_vanished = true;
  fill(10);
  start();
  const Round first = pulled();
  inbox().expunge(4);
  inbox().expunge(5);
  const Round second = pulled(first.cursor);
  EXPECT_EQ(second.deleted, (std::set<std::string>{id(4), id(5)}));
}

TEST_F(Feed, AModseqThatFellMeansToLookAtAllFlags) {
  fill(10);
  start();
  const Round first = pulled();
  // A restored backup: lower than what we know, and another message read.
  inbox().flag(6, "\\Seen");
  inbox().modseq = 5;
  for (auto& message : inbox().messages) message.modseq = 3;
  const Round second = pulled(first.cursor);
  EXPECT_EQ(second.read_flags, (std::map<std::string, bool>{{id(6), true}}));
  EXPECT_EQ(FeedCursor::parse(second.cursor)->modseq, 5U);
}

TEST_F(Feed, Invariant16TheModseqOfSelectIsKeptOnlyWithTheLastPage) {
  fill(25);
  start();
  const sync::RemoteFolder from = folder();
  auto page = world_.run(driver_->pull(from, "", 10));
  ASSERT_TRUE(page);
  auto cursor = FeedCursor::parse(page->cursor);
  ASSERT_TRUE(cursor);
  EXPECT_EQ(cursor->modseq, 0U);
  const std::uint64_t of_select = cursor->next_modseq;
  // A change while the pages are read is not covered by them.
  inbox().flag(25, "\\Seen");
  const Round rest = pulled(page->cursor, 10);
  EXPECT_EQ(FeedCursor::parse(rest.cursor)->modseq, of_select);
  EXPECT_EQ(pulled(rest.cursor).read_flags, (std::map<std::string, bool>{{id(25), true}}));
}

TEST_F(Feed, AFolderThatTheProviderCapsIsReadAsFarAsItIsShownAndSaidSo) {
  server_.modseq = Modseq::none;
  fill(40);
  for (std::uint32_t uid = 1; uid <= 15; ++uid) inbox().find(uid)->hidden = true;
  start();
  const Round first = pulled();
  EXPECT_EQ(first.changed.size(), 25U);
  const auto warnings = driver_->take_warnings();
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_NE(warnings[0].find("counts 40 messages and shows 25"), std::string::npos) << warnings[0];
  const std::size_t before = server_.count("FETCH 1:40");
  const Round second = pulled(first.cursor);
  EXPECT_TRUE(second.changed.empty() && second.deleted.empty());
  EXPECT_EQ(server_.count("FETCH 1:40"), before) << "what is known to be hidden is not looked for each time";
}

TEST_F(Feed, ASearchThatEndsAtANumberOfItsOwnIsNotBelieved) {
  fill(40);
  server_.most_found = 10;
  start();
  EXPECT_EQ(pulled().changed.size(), 40U);
}

TEST_F(Feed, ASearchThatFindsFourBillionMessagesIsNotCounted) {
  fill(4);
  server_.lies_found = "1:4294967295";
  start();
  const auto round = pull();
  ASSERT_FALSE(round);
  EXPECT_EQ(round.error().code, "bad-response") << round.error().describe();
}

TEST_F(Feed, ACursorThatIsNotOursIsRefused) {
  start();
  for (const char* text :
       {"x", "1 2 3", "1 1 1 1 1 1 1 1 - 0", "2 1 1 1 1 1 1 1 - -", "1 9999999999 1 1 1 1 1 1 - -"}) {
    const auto round = pull(text);
    ASSERT_FALSE(round) << text;
    EXPECT_EQ(round.error().retry, RetryClass::resync);
  }
}

TEST(FeedCursorText, ComesBackAsItWas) {
  FeedCursor cursor;
  cursor.uid_validity = 4294967295U;
  cursor.modseq = 9223372036854775807ULL;
  cursor.next_modseq = 5;
  cursor.mark = 77;
  cursor.floor = 3;
  cursor.down = 70;
  cursor.hidden = 9;
  cursor.known = *UidSet::parse("1:5,70:77", 10);
  const auto back = FeedCursor::parse(cursor.text());
  ASSERT_TRUE(back);
  EXPECT_EQ(back->text(), cursor.text());
  EXPECT_EQ(back->known, cursor.known);
  EXPECT_TRUE(back->seen.empty());
  EXPECT_TRUE(back->walking());
}

/// What a server offers, and what of it has to be enabled.
class FeedInUtf8 : public DriverTest, public ::testing::WithParamInterface<std::string> {};

TEST_P(FeedInUtf8, FoldersAreKnownByOneNameBeforeAndAfterAServerHasLearnedIt) {
  server_.folders["Entw\xC3\xBCrfe & Co"].attributes = "\\Drafts";
  server_.folders["Gesendet \xE2\x9C\x93"].attributes = "\\Sent";
  server_.utf7_names = {{"Entw\xC3\xBCrfe & Co", "Entw&APw-rfe &- Co"},
                        {"Gesendet \xE2\x9C\x93", "Gesendet &JxM-"}};
  const std::string drafts = "Entw&APw-rfe &- Co";
  fill(2);
  server_.folders["Entw\xC3\xBCrfe & Co"].add(mail(1));
  start();
  const auto names = [&] {
    std::map<std::string, std::string> by_id;
    const auto folders = world_.run(driver_->folders());
    EXPECT_TRUE(folders) << folders.error().describe();
    for (const sync::RemoteFolder& one : *folders) by_id[one.id] = one.name;
    return by_id;
  };
  const auto append = [&] {
    TextContent text("Subject: sent\r\nMessage-ID: <s1@example.test>\r\n\r\nx\r\n");
    std::string message_id = "<s1@example.test>";
    const auto copy = world_.run(driver_->append_sent(text, std::move(message_id)));
    ASSERT_TRUE(copy) << copy.error().describe();
    EXPECT_FALSE(copy->id.empty());
  };
  const std::map<std::string, std::string> expected = {
      {"INBOX", "INBOX"}, {drafts, "Entw\xC3\xBCrfe & Co"}, {"Gesendet &JxM-", "Gesendet \xE2\x9C\x93"}};
  EXPECT_EQ(names(), expected);
  const auto before = pull({}, sync::most_feed_entries, drafts);
  ASSERT_TRUE(before) << before.error().describe();
  EXPECT_EQ(before->changed.size(), 1U);
  append();

  // The server is a newer one.
  server_.more_capabilities = " " + GetParam();
  server_.can_enable = {GetParam()};
  restart();
  EXPECT_EQ(names(), expected);
  EXPECT_EQ(server_.count("ENABLE QRESYNC " + GetParam()), 1U);
  server_.folders["Entw\xC3\xBCrfe & Co"].add(mail(2));
  const auto after = pull(before->cursor, sync::most_feed_entries, drafts);
  ASSERT_TRUE(after) << after.error().describe();
  EXPECT_EQ(after->changed.size(), 1U) << "the other one was known";
  append();
  EXPECT_EQ(server_.folders["Gesendet \xE2\x9C\x93"].messages.size(), 2U);
  const Round inbox_round = pulled();
  EXPECT_EQ(inbox_round.changed.size(), 2U);
}

INSTANTIATE_TEST_SUITE_P(Offered, FeedInUtf8, ::testing::Values("UTF8=ACCEPT", "IMAP4rev2"));

TEST_F(Feed, AServerThatOffersUtf8AndRefusesItIsSpokenToAsBefore) {
  server_.folders["Entw\xC3\xBCrfe"].add(mail(1));
  server_.utf7_names = {{"Entw\xC3\xBCrfe", "Entw&APw-rfe"}};
  server_.more_capabilities = " UTF8=ACCEPT IMAP4rev2";
  start();
  EXPECT_EQ(pulled().changed.size(), 0U);
  const auto round = pull({}, sync::most_feed_entries, "Entw&APw-rfe");
  ASSERT_TRUE(round) << round.error().describe();
  EXPECT_EQ(round->changed.size(), 1U);
}

TEST_F(Feed, GmailsVirtualFoldersAreLeftOutAndLabelsAreTags) {
  server_.gmail = true;
  server_.folders["[Gmail]"].attributes = "\\HasChildren \\Noselect";
  server_.folders["[Gmail]/All Mail"].attributes = "\\All";
  server_.folders["[Gmail]/Starred"].attributes = "\\Flagged";
  server_.folders["[Gmail]/Important"].attributes = "\\Important";
  server_.folders["[Gmail]/Sent Mail"].attributes = "\\Sent";
  server_.folders["[Gmail]/Trash"].attributes = "\\Trash";
  server_.folders["Work"].attributes = "";
  auto& message = inbox().add(mail(1));
  message.gmail_id = 1278455344230334865ULL;
  message.gmail_labels = "\\Important Work \"b &AOQ-\"";
  start();
  const auto folders = world_.run(driver_->folders());
  ASSERT_TRUE(folders) << folders.error().describe();
  std::map<std::string, sync::FolderRole> roles;
  for (const auto& one : *folders) roles[one.id] = one.role;
  EXPECT_EQ(roles, (std::map<std::string, sync::FolderRole>{{"INBOX", sync::FolderRole::inbox},
                                                            {"Work", sync::FolderRole::other},
                                                            {"[Gmail]/Sent Mail", sync::FolderRole::sent},
                                                            {"[Gmail]/Trash", sync::FolderRole::deleted}}));
  const auto items = read({id(1)});
  ASSERT_TRUE(items.at(0)) << items.at(0).error().describe();
  EXPECT_EQ(items.at(0)->search_key, "g1278455344230334865");
  EXPECT_EQ(items.at(0)->fields.at("categories"), boost::json::value({"Work", "b ä"}));

  // Archived: only All Mail shows it, and there it is found.
  auto archived = *inbox().find(1);
  inbox().expunge(1);
  server_.folders["[Gmail]/All Mail"].messages.push_back(archived);
  const auto found = world_.run(driver_->find(model::RecordKind::email, items.at(0)->search_key));
  ASSERT_TRUE(found) << found.error().describe();
  ASSERT_TRUE(*found);
  EXPECT_EQ((*found)->folder_id, "[Gmail]/All Mail");
}

TEST_F(Feed, LabelsOfGmailThatChangeMeanToReadAgain) {
  server_.gmail = true;
  fill(2);
  start();
  const Round first = pulled();
  inbox().flag(2, "\\Flagged");
  EXPECT_EQ(pulled(first.cursor).changed, std::vector<std::string>{id(2)});
}

}  // namespace
}  // namespace syncline::imap
