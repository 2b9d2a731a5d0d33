// SPDX-License-Identifier: GPL-3.0-or-later
// Faults that other programs have met on mail hosts (R-27 to R-30), and the laws of IMAP and of sent copies,
// through the whole engine.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "base/base64.hpp"
#include "mail_world.hpp"

namespace syncline::sync::testing {
namespace {

using imap::testing::FakeImap;
using model::RecordKind;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class Lessons : public ::testing::Test {
 protected:
  MailWorld server;
  MailOrganisation organisation{server};

  void fill(int count) {
    for (int i = 1; i <= count; ++i)
      server.deliver(mail_from(bert, "mail " + std::to_string(i), "<" + std::to_string(i) + "@x>"));
  }
  std::set<model::RecordId> ids() {
    std::set<model::RecordId> all;
    for (const model::Record& one : organisation.records(RecordKind::email)) all.insert(one.id);
    return all;
  }
  std::size_t linked() {
    std::size_t count = 0;
    for (const model::Record& one : organisation.records(RecordKind::email))
      for (const store::Link& link : organisation.links(one.id))
        count += link.state == store::LinkState::linked ? 1 : 0;
    return count;
  }
  bool is_read(std::string_view subject) {
    const model::Record record = organisation.record(organisation.record_with(subject));
    const model::FieldValue* value = record.fields.if_contains("isRead");
    return value != nullptr && value->is_bool() && value->get_bool();
  }
};

class Pop3Lessons : public ::testing::Test {
 protected:
  MailWorld pop3_server{Incoming::pop3};
  MailOrganisation pop3_organisation{pop3_server};
  void deliver(int number) {
    pop3_server.deliver(
        mail_from(bert, "mail " + std::to_string(number), "<" + std::to_string(number) + "@x>"));
  }
};

// --- R-28 ---

TEST_F(Lessons, R28_AfterANewUidvalidityRecordsKeepTheirKeysAndNothingIsFetchedAgain) {
  fill(40);
  organisation.must_run();
  const std::set<model::RecordId> before = ids();
  ASSERT_THAT(before, SizeIs(40));
  server.number_anew("INBOX");
  server.deliver(mail_from(bert, "new", "<new@x>"));
  const std::uint64_t given = server.imap.given_whole;
  organisation.must_run();
  EXPECT_EQ(server.imap.given_whole - given, 1u) << "the new one alone";
  std::set<model::RecordId> after = ids();
  EXPECT_EQ(after.size(), 41u);
  for (const model::RecordId id : before) EXPECT_TRUE(after.contains(id));
  EXPECT_EQ(linked(), 41u);
  EXPECT_THAT(organisation.journal("full-resync"), ElementsAre("uidvalidity-changed"));
  EXPECT_THAT(organisation.alerts(), IsEmpty());
  organisation.expect_quiet();
}

TEST_F(Lessons, R28_ANewUidvalidityTwiceWithinAnHourIsAnAlertAndNoLoop) {
  fill(5);
  organisation.must_run();
  for (int round = 0; round < 2; ++round) {
    server.number_anew("INBOX");
    server.pass(std::chrono::minutes(10));
    organisation.must_run();
  }
  EXPECT_THAT(organisation.records(RecordKind::email), SizeIs(5));
  EXPECT_THAT(organisation.alerts(), Contains("resync-loop"));
}

TEST_F(Lessons, R28_WhatWentWhileTheNumbersChangedIsParted) {
  fill(5);
  organisation.must_run();
  server.expunge("INBOX", "mail 3");
  server.number_anew("INBOX");
  organisation.must_run();
  EXPECT_EQ(linked(), 4u);
  EXPECT_THAT(organisation.records(RecordKind::email), SizeIs(5)) << "its record stays";
  organisation.expect_quiet();
}

TEST_F(Lessons, R28_AVanishedThatTakesAllIsVerifiedBeforeAnythingIsParted) {
  fill(120);
  organisation.must_run();
  server.imap.lies_vanished = "1:26183";
  server.deliver(mail_from(bert, "new", "<new@x>"));
  organisation.must_run();
  EXPECT_EQ(linked(), 121u);
  EXPECT_THAT(organisation.warnings, Contains(HasSubstr("still shows them")));
  server.imap.lies_vanished.clear();
  organisation.must_run();
  EXPECT_EQ(linked(), 121u);
  organisation.expect_quiet();
}

TEST_F(Lessons, R28_AStormOfVanishedThatIsTrueIsAWipeAndDeletesNoRecord) {
  fill(120);
  organisation.must_run();
  while (!server.folder().messages.empty()) server.folder().expunge(server.folder().messages.front().uid);
  organisation.must_run();
  EXPECT_EQ(linked(), 0u);
  EXPECT_THAT(organisation.records(RecordKind::email), SizeIs(120));
  EXPECT_THAT(organisation.journal("unlinked"), Contains("emptied-folder"));
  organisation.expect_quiet();
}

TEST_F(Lessons, R28_ExpungesThatTheServerForgetsToTellAreFoundByItsCount) {
  server.imap.forgets_vanished = true;
  fill(20);
  organisation.must_run();
  server.expunge("INBOX", "mail 7");
  server.deliver(mail_from(bert, "new", "<new@x>"));
  organisation.must_run();
  EXPECT_EQ(linked(), 20u);
  organisation.expect_quiet();
}

TEST_F(Lessons, R28_AnAuditPartsNothingThatWasStoredAfterItsSnapshot) {
  fill(5);
  organisation.send("ours");
  organisation.settle();
  const std::size_t before = linked();
  ASSERT_EQ(before, 6u);
  ASSERT_THAT(server.folder("Sent").messages, SizeIs(1));
  // Both listings are as if they had been taken before these two came: one that was delivered, and our own
  // copy. Another one comes between the listing and what is made of it.
  int snapshots = 0;
  server.imap.instead = [&](const std::string&, const std::string& command) -> std::optional<std::string> {
    const bool is_snapshot = command.find(" (UID FLAGS)") != std::string::npos;
    if (!is_snapshot && snapshots == 1 && server.folder().messages.size() == 5)
      server.deliver(mail_from(bert, "between", "<between@x>"));
    snapshots += is_snapshot ? 1 : 0;
    server.message("INBOX", "mail 3").hidden = is_snapshot;
    server.folder("Sent").messages.front().hidden = is_snapshot;
    return std::nullopt;
  };
  organisation.options.audit_now = true;
  organisation.must_run();
  EXPECT_GE(snapshots, 2);
  organisation.options.audit_now = false;
  organisation.must_run();
  EXPECT_EQ(linked(), before + 1);
  EXPECT_THAT(organisation.journal("unlinked"), IsEmpty());
  EXPECT_THAT(organisation.records(RecordKind::email), SizeIs(7));
  EXPECT_EQ(server.mails().at(bert + std::string(" ours")), 1);
  organisation.expect_quiet();
}

TEST_F(Lessons, R28_AfterAModseqThatFellNoFlagAndNoMessageIsMissed) {
  fill(6);
  server.folder().modseq = 5'000;
  organisation.must_run();
  // A restored server counts from below; what happened meanwhile is below, too.
  server.folder().modseq = 20;
  imap::testing::FakeMessage& read = server.message("INBOX", "mail 2");
  read.flags.insert("\\Seen");
  read.modseq = 19;
  server.deliver(mail_from(bert, "new", "<new@x>"));
  organisation.must_run();
  EXPECT_TRUE(is_read("mail 2"));
  EXPECT_THAT(organisation.records(RecordKind::email), SizeIs(7));
  // And from there on it is the mark again.
  server.folder().flag(server.message("INBOX", "mail 4").uid, "\\Seen");
  organisation.must_run();
  EXPECT_TRUE(is_read("mail 4"));
  organisation.expect_quiet();
}

TEST_F(Lessons, invariant16WhatHappensBetweenPagesIsSeenWhereverTheReadingIsStopped) {
  for (const FakeImap::Modseq kind :
       {FakeImap::Modseq::qresync, FakeImap::Modseq::condstore, FakeImap::Modseq::none})
    for (std::uint64_t nth = 0; nth < 3; ++nth) {
      SCOPED_TRACE(std::to_string(static_cast<int>(kind)) + ", stopped at write " + std::to_string(nth));
      MailWorld host;
      MailOrganisation reader(host);
      host.imap.modseq = kind;
      constexpr int messages = 600;
      for (int i = 1; i <= messages; ++i)
        host.deliver(mail_from(bert, "mail " + std::to_string(i), "<" + std::to_string(i) + "@x>"));
      StopAt stop(nth, StopAt::Moment::after);
      reader.reopen(&stop);
      EXPECT_FALSE(reader.run());
      ASSERT_TRUE(stop.stopped());
      // Flags and expunges of what may have been read, and of what was not: HIGHESTMODSEQ is past both now.
      for (const int n : {1, 2, 599, 600})
        host.folder().flag(host.message("INBOX", "mail " + std::to_string(n)).uid, "\\Seen");
      for (const int n : {3, 598}) host.expunge("INBOX", "mail " + std::to_string(n));
      host.deliver(mail_from(bert, "new", "<new@x>"));
      reader.reopen();
      reader.must_run();
      std::size_t there = 0;
      for (const model::Record& one : reader.records(RecordKind::email)) {
        const auto links = reader.links(one.id);
        const std::string subject(model::text_of(one.fields, "subject"));
        const bool gone = subject == "mail 3" || subject == "mail 598";
        for (const store::Link& link : links) EXPECT_EQ(link.state == store::LinkState::unlinked, gone);
        there += gone ? 0 : 1;
        const bool read =
            subject == "mail 1" || subject == "mail 2" || subject == "mail 599" || subject == "mail 600";
        EXPECT_EQ(one.fields.at("isRead").as_bool(), read) << subject;
      }
      EXPECT_EQ(there, messages - 2u + 1u);
      if (HasFailure()) return;
    }
}

// --- R-29 ---

TEST_F(Pop3Lessons, R29_UniqueIdsThatAllChangeBringNothingTwiceAndPartNothing) {
  for (int i = 0; i < 20; ++i) deliver(i);
  pop3_organisation.must_run();
  const std::string before = pop3_organisation.dump();
  for (std::size_t i = 0; i < 20; ++i) pop3_server.pop3.mailbox[i].uid = "moved" + std::to_string(i);
  pop3_server.pop3.commands.clear();
  pop3_organisation.must_run();
  EXPECT_EQ(pop3_organisation.dump(), before);
  EXPECT_EQ(pop3_server.pop3.count("RETR "), 0u) << "headers tell";
  pop3_organisation.expect_quiet();
}

TEST_F(Pop3Lessons, R29_UniqueIdsGivenToOtherMessagesAreNotBelieved) {
  for (int i = 0; i < 6; ++i) deliver(i);
  pop3_organisation.must_run();
  // Session numbers taken for unique-ids: the first one goes, and every other gets its neighbour's.
  pop3_server.pop3.mailbox.erase(pop3_server.pop3.mailbox.begin());
  for (std::size_t i = 0; i < pop3_server.pop3.mailbox.size(); ++i)
    pop3_server.pop3.mailbox[i].uid = "u" + std::to_string(i + 1);
  deliver(6);
  pop3_organisation.must_run();
  EXPECT_THAT(pop3_organisation.records(RecordKind::email), SizeIs(7));
  const auto links = pop3_organisation.links(pop3_organisation.record_with("mail 0"));
  ASSERT_THAT(links, SizeIs(1));
  EXPECT_EQ(links.front().state, store::LinkState::unlinked);
  pop3_organisation.expect_quiet();
}

TEST_F(Pop3Lessons, R29_OneUniqueIdOfTwoMessagesLosesNeither) {
  for (int i = 0; i < 4; ++i) deliver(i);
  pop3_server.pop3.mailbox[1].uid = pop3_server.pop3.mailbox[2].uid = "twice";
  pop3_organisation.must_run();
  EXPECT_THAT(pop3_organisation.records(RecordKind::email), SizeIs(4));
  pop3_server.take("mail 1");
  deliver(4);
  pop3_organisation.must_run();
  EXPECT_THAT(pop3_organisation.records(RecordKind::email), SizeIs(5));
  const auto gone = pop3_organisation.links(pop3_organisation.record_with("mail 1"));
  const auto kept = pop3_organisation.links(pop3_organisation.record_with("mail 2"));
  EXPECT_EQ(gone.at(0).state, store::LinkState::unlinked);
  EXPECT_EQ(kept.at(0).state, store::LinkState::linked);
  pop3_organisation.expect_quiet();
}

TEST_F(Pop3Lessons, R29_AServerWithoutUniqueIdsIsReadByItsHeaders) {
  pop3_server.pop3.has_uidl = false;
  for (int i = 0; i < 5; ++i) deliver(i);
  pop3_organisation.must_run();
  pop3_server.take("mail 2");
  deliver(5);
  pop3_organisation.must_run();
  EXPECT_THAT(pop3_organisation.records(RecordKind::email), SizeIs(6));
  pop3_organisation.expect_quiet();
}

TEST_F(Pop3Lessons, R29_NothingIsDeletedRemotelyBeforeItIsCommitted) {
  for (const StopAt::Moment moment : {StopAt::Moment::before, StopAt::Moment::after})
    for (std::uint64_t nth = 0, stops = 1; stops != 0; ++nth) {
      SCOPED_TRACE(nth);
      MailWorld host(Incoming::pop3);
      MailOrganisation queue(host);
      queue.settings.kind = MailboxKind::queue;
      queue.settings.policies.mail.delete_after_processing = true;
      for (int i = 0; i < 4; ++i)
        host.deliver(mail_from(bert, "mail " + std::to_string(i), "<" + std::to_string(i) + "@x>"));
      StopAt stop(nth, moment);
      queue.reopen(&stop);
      static_cast<void>(queue.run());
      queue.reopen();
      std::set<std::string> subjects;
      for (const auto& one : host.pop3.mailbox) subjects.insert(header_of(one.octets, "Subject"));
      for (const model::Record& one : queue.records(RecordKind::email)) {
        EXPECT_TRUE(one.fields.contains("mime")) << "with all of its octets";
        subjects.insert(std::string(model::text_of(one.fields, "subject")));
      }
      EXPECT_THAT(subjects, SizeIs(4));
      stops = stop.stopped() ? 1 : 0;
      queue.settle();
      EXPECT_THAT(queue.records(RecordKind::email), SizeIs(4));
      EXPECT_THAT(host.pop3.mailbox, IsEmpty());
    }
}

TEST_F(Pop3Lessons, R29_AnotherMessageUnderADeletedOnesUniqueIdIsNotDeletedInItsPlace) {
  pop3_organisation.settings.kind = MailboxKind::queue;
  pop3_organisation.settings.policies.mail.delete_after_processing = true;
  deliver(0);
  // Between the reading and the deleting somebody else takes it, and the server gives its unique-id away.
  bool swapped = false;
  pop3_server.pop3.instead = [&](const std::string& line, std::size_t) -> std::optional<std::string> {
    if (!swapped && line == "QUIT") {
      swapped = true;
      pop3_server.pop3.mailbox.clear();
      pop3_server.pop3.mailbox.push_back({.uid = "u1", .octets = mail_from(bert, "other", "<other@x>")});
      return "-ERR not now\r\n";
    }
    return std::nullopt;
  };
  pop3_organisation.must_run();
  ASSERT_TRUE(swapped);
  ASSERT_THAT(pop3_server.pop3.mailbox, SizeIs(1)) << "it was not looked at yet";
  pop3_organisation.settle();
  pop3_organisation.must_run();
  EXPECT_THAT(pop3_organisation.records(RecordKind::email), SizeIs(2));
}

TEST_F(Lessons, R29_AMessageWithSeveralLabelsOfGmailIsOneRecordWithTags) {
  server.imap.gmail = true;
  server.imap.folders["[Gmail]/All Mail"].attributes = "\\All";
  organisation.sent_copies = smtp::SentCopies::server;
  const std::string text = mail_from(bert, "labelled", "<l@x>");
  for (const char* name : {"INBOX", "Projects", "[Gmail]/All Mail"}) {
    imap::testing::FakeMessage& one = server.folder(name).add(text);
    one.gmail_id = 4711;
    one.gmail_labels = "\\\\Inbox Work \"Very Important\"";
  }
  organisation.must_run();
  const model::Record record = organisation.only_record(RecordKind::email);
  EXPECT_EQ(field_text(record.fields, "categories"), R"(["Work","Very Important"])");
  for (const store::Link& link : organisation.links(record.id))
    EXPECT_EQ(link.folder.find("All"), std::string::npos);
  organisation.expect_quiet();
}

TEST_F(Lessons, R29_AFolderThatTheProviderCapsIsReadAsFarAsItIsShownAndSaidSo) {
  fill(30);
  for (int i = 1; i <= 10; ++i) server.message("INBOX", "mail " + std::to_string(i)).hidden = true;
  organisation.must_run();
  EXPECT_THAT(organisation.records(RecordKind::email), SizeIs(20));
  EXPECT_THAT(organisation.warnings, Contains(HasSubstr("caps folder")));
  organisation.expect_quiet();
}

TEST_F(Lessons, R29_ASearchThatStopsAtANumberOfItsOwnHidesNothing) {
  server.imap.most_found = 10;
  fill(30);
  organisation.must_run();
  EXPECT_THAT(organisation.records(RecordKind::email), SizeIs(30));
  organisation.expect_quiet();
}

TEST_F(Lessons, R29_NoCopyIsAppendedWhereTheProviderSavesOne) {
  server.saves_sent_copies = true;
  organisation.sent_copies = smtp::SentCopies::server;
  const model::RecordId id = organisation.send("Offer");
  organisation.settle();
  organisation.must_run();
  EXPECT_EQ(server.imap.count("APPEND"), 0u);
  EXPECT_THAT(server.folder("Sent").messages, SizeIs(1));
  EXPECT_EQ(organisation.only_record(RecordKind::email).id, id);
  EXPECT_THAT(organisation.links(id), SizeIs(1));
  organisation.expect_quiet();
}

// --- invariant 17 ---

TEST_F(Lessons, invariant17ACopyOfOursIsLinkedAndNotReadAsNewMail) {
  organisation.sent_copies = smtp::SentCopies::automatic;
  const model::RecordId id = organisation.send("Offer");
  const std::chrono::milliseconds before = server.world.elapsed();
  organisation.settle();
  EXPECT_GE(server.world.elapsed() - before, std::chrono::seconds(60)) << "the server had its time";
  EXPECT_EQ(server.imap.count("APPEND"), 1u);
  ASSERT_THAT(server.folder("Sent").messages, SizeIs(1));
  EXPECT_TRUE(server.folder("Sent").messages.front().flags.contains("\\Seen"));
  organisation.must_run();
  EXPECT_EQ(organisation.only_record(RecordKind::email).id, id);
  const auto links = organisation.links(id);
  ASSERT_THAT(links, SizeIs(1));
  EXPECT_EQ(links.front().folder, "Sent");
  organisation.expect_quiet();
}

TEST_F(Lessons, invariant17WithoutUidplusTheCopyIsFoundByItsMark) {
  server.imap.has_uidplus = false;
  const model::RecordId id = organisation.send("Offer");
  organisation.settle();
  EXPECT_THAT(server.folder("Sent").messages, SizeIs(1));
  organisation.must_run();
  EXPECT_THAT(organisation.links(id), SizeIs(1));
  organisation.expect_quiet();
  EXPECT_THAT(organisation.records(RecordKind::email), SizeIs(1));
}

// --- R-30 ---

TEST_F(Lessons, R30_OnlyWhoWasPutOffIsWrittenToAgain) {
  bool greylisted = true;
  server.smtp.instead = [&](const std::string& line, std::size_t) -> std::optional<std::string> {
    if (line.starts_with("RCPT TO:<carol@") && greylisted) return "450 4.2.0 greylisted\r\n";
    if (line.starts_with("RCPT TO:<nobody@")) return "550 5.1.1 nobody of that name\r\n";
    return std::nullopt;
  };
  const model::RecordId id = organisation.send("Offer", {{"toRecipients",
                                                          {{{"emailAddress", bert}},
                                                           {{"emailAddress", "carol@example.test"}},
                                                           {{"emailAddress", "nobody@example.test"}}}}});
  organisation.must_run();
  EXPECT_EQ(server.mails()["bert@example.test Offer"], 1);
  greylisted = false;
  organisation.settle();
  EXPECT_EQ(server.mails()["bert@example.test Offer"], 1);
  EXPECT_EQ(server.mails()["carol@example.test Offer"], 1);
  EXPECT_EQ(
      field_text(organisation.record(id).fields, "recipientStates"),
      R"({"bert@example.test":"accepted","carol@example.test":"accepted","nobody@example.test":"failed"})");
  organisation.expect_quiet();
}

TEST_F(Lessons, R30_AuthenticatedButNotConnectedStopsTheMailboxAndIsNoOutage) {
  fill(1);
  server.imap.instead = [](const std::string& tag, const std::string& command) -> std::optional<std::string> {
    if (command.starts_with("LIST")) return tag + " BAD User is authenticated but not connected.\r\n";
    return std::nullopt;
  };
  for (int run = 0; run < 3; ++run) {
    const std::uint64_t before = server.imap.connections;
    auto outcome = organisation.run();
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().retry, RetryClass::reauthenticate) << outcome.error().describe();
    EXPECT_EQ(server.imap.connections - before, 1u) << "no loop";
  }
  EXPECT_THAT(organisation.alerts(), SizeIs(1)) << "told once";
  server.imap.instead = {};
  organisation.must_run();
  EXPECT_THAT(organisation.alerts(), IsEmpty());
  EXPECT_THAT(organisation.records(RecordKind::email), SizeIs(1));
}

/// Gives "stale", and "fresh" once that was refused.
class RenewableToken final : public auth::TokenSource {
 public:
  net::Async<auth::AccessToken> token() override {
    ++asked;
    auth::AccessToken made;
    made.value = Secret(std::string_view(generation_ == 1 ? "stale" : "fresh"));
    made.generation = generation_;
    co_return made;
  }
  net::Async<auth::AccessToken> replace(std::uint64_t generation) override {
    if (generation == generation_) {
      ++replaced;
      ++generation_;
    }
    co_return co_await token();
  }
  std::string pool_key() const override { return "renewable"; }
  void credentials_changed() override {}

  int asked = 0;
  int replaced = 0;

 private:
  std::uint64_t generation_ = 1;
};

class TokenDance : public Lessons, public ::testing::WithParamInterface<const char*> {
 protected:
  /// A challenge of JSON comes before the refusal, and wants an answer.
  void take_only(const std::string& good) {
    server.imap.more_capabilities = std::string(" SASL-IR AUTH=") + GetParam();
    organisation.imap_connect.sign_in.identity.token = token;
    server.imap.instead = [this, good](const std::string& tag,
                                       const std::string& command) -> std::optional<std::string> {
      if (command.starts_with("AUTHENTICATE ")) {
        const auto said = base64_decode(command.substr(command.rfind(' ') + 1));
        ++attempts;
        if (said && said->find("Bearer " + good) != std::string::npos) return tag + " OK welcome\r\n";
        refused = tag;
        return "+ " + base64_encode(std::string_view(R"({"status":"401","schemes":"bearer"})")) + "\r\n";
      }
      // An empty line (XOAUTH2), or an octet 1 (OAUTHBEARER, RFC 7628 section 3.2.3).
      if (command.empty() && !refused.empty())
        return std::exchange(refused, std::string()) + " NO [AUTHENTICATIONFAILED] invalid credentials\r\n";
      return std::nullopt;
    };
  }
  std::shared_ptr<RenewableToken> token = std::make_shared<RenewableToken>();
  int attempts = 0;
  std::string refused;
};

TEST_P(TokenDance, R30_ARefusedTokenIsAnsweredRenewedAndTriedOnce) {
  fill(2);
  take_only("fresh");
  organisation.must_run();
  EXPECT_THAT(organisation.records(RecordKind::email), SizeIs(2));
  EXPECT_EQ(attempts, 2);
  EXPECT_EQ(token->replaced, 1);
  EXPECT_EQ(server.imap.connections, 1u) << "on the same connection";
  organisation.expect_quiet();
}

TEST_P(TokenDance, R30_AFreshTokenThatIsRefusedTooIsTheEnd) {
  take_only("another");
  auto outcome = organisation.run();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, "token-refused") << outcome.error().describe();
  EXPECT_EQ(outcome.error().retry, RetryClass::reauthenticate);
  EXPECT_EQ(attempts, 2);
  EXPECT_EQ(outcome.error().describe().find("fresh"), std::string::npos) << "no token in an error";
  EXPECT_THAT(organisation.alerts(), SizeIs(1));
}

INSTANTIATE_TEST_SUITE_P(Mechanisms, TokenDance, ::testing::Values("XOAUTH2", "OAUTHBEARER"),
                         [](const auto& parameter) { return std::string(parameter.param); });

// --- what records could inject ---

TEST_F(Lessons, ALineEndInARecordBecomesNoCommandNoFieldAndNoRecipient) {
  const std::string evil = "x\r\nBcc: victim@example.test\r\n.\r\nRCPT TO:<victim@example.test>";
  organisation.send("Subject" + evil, {{"toRecipients", {{{"name", evil}, {"emailAddress", bert}}}}});
  organisation.send("Address", {{"toRecipients", {{{"emailAddress", "b@example.test>" + evil}}}}});
  organisation.settle();
  for (const std::string& line : server.smtp.commands)
    EXPECT_EQ(line.find("victim"), std::string::npos) << line;
  ASSERT_THAT(server.smtp.taken, SizeIs(1));
  EXPECT_THAT(server.smtp.taken.front().to, ElementsAre(bert));
  EXPECT_EQ(server.smtp.taken.front().text.find("\nBcc:"), std::string::npos);
  EXPECT_EQ(organisation.states()["Address"], "failed");
  EXPECT_THAT(organisation.alerts(), Contains("refused-bad-address"));
  for (const std::string& command : server.imap.commands)
    EXPECT_FALSE(command.starts_with("RCPT")) << command;
  organisation.must_run();
  organisation.expect_quiet();
}

// --- R-27 ---

/// What senders and relays have been seen to make of a header.
std::vector<std::string> broken_messages() {
  return {
      "",
      "\r\n",
      "\r\nonly a body\r\n",
      "no colon at all\r\n\r\nbody\r\n",
      "From bert Mon Jan  5 08:00:00 2026\r\nSubject: mbox line\r\n\r\nbody\r\n",
      "Subject: \xff\xfe\x80 raw octets\r\nFrom: \xe4\xf6\xfc <a@b>\r\n\r\nbody\r\n",
      "Subject: =?utf-8?B?//79?= =?nonsense?X?x?= =?utf-8?Q?open\r\n\r\nbody\r\n",
      "Date: the day before yesterday\r\nSubject: bad date\r\n\r\nbody\r\n",
      "Date: Mon, 99 Foo 2026 99:99:99 +9999\r\nSubject: worse date\r\n\r\nbody\r\n",
      "From: <<<>>>, \"open quote <a@b>, (((\r\nTo: ,,,;;:\r\nSubject: addresses\r\n\r\nbody\r\n",
      "Message-ID: <>\r\nSubject: empty id\r\n\r\nbody\r\n",
      "Message-ID: <a b\tc@x> <second@x>\r\nSubject: two ids\r\n\r\nbody\r\n",
      "Subject: folded\r\n\tand\r\n \r\n  on\r\n\r\nbody\r\n",
      "Content-Type: multipart/mixed; boundary=\"\"\r\nSubject: no border\r\n\r\n--\r\nbody\r\n",
      "Content-Type: text/plain; charset=\"../../x\"\r\nSubject: charset\r\n\r\nbody\r\n",
      "Subject: " + std::string(200'000, 's') + "\r\n\r\nbody\r\n",
      "Subject: with a \x01 control \x7f\r\nReferences: " + std::string(5'000, '<') + "\r\n\r\nbody\r\n",
  };
}

TEST_F(Lessons, R27_NoHeaderKeepsAMessageOutByImap) {
  const std::vector<std::string> all = broken_messages();
  for (const std::string& text : all) server.deliver(text);
  organisation.must_run();
  EXPECT_THAT(organisation.records(RecordKind::email), SizeIs(all.size()));
  EXPECT_THAT(organisation.journal("quarantined"), IsEmpty());
  server.deliver(mail_from(bert, "good date", "<good@x>", "", "text\r\n"));
  organisation.must_run();
  for (const model::Record& one : organisation.records(RecordKind::email)) {
    const std::string_view received = model::text_of(one.fields, "dateTimeReceived");
    EXPECT_FALSE(received.empty());
    if (model::text_of(one.fields, "subject") == "good date") {
      EXPECT_EQ(model::text_of(one.fields, "statusReason"), "");
      continue;
    }
    EXPECT_EQ(model::text_of(one.fields, "dateTimeSent"), received);
    EXPECT_EQ(model::text_of(one.fields, "statusReason"), "no-readable-date");
  }
  organisation.expect_quiet();
}

TEST_F(Pop3Lessons, R27_NoHeaderKeepsAMessageOutByPop3) {
  const std::vector<std::string> all = broken_messages();
  for (const std::string& text : all)
    // A multi-line answer ends with a line; what has none gets one from any server.
    pop3_server.deliver(text.find("\r\n\r\n") == std::string::npos ? text + "\r\n\r\n" : text);
  pop3_organisation.must_run();
  EXPECT_THAT(pop3_organisation.journal("quarantined"), IsEmpty());
  EXPECT_EQ(pop3_organisation.records(RecordKind::email).size(), all.size());
  pop3_organisation.expect_quiet();
}

TEST_F(Lessons, R27_MessagesWithoutMessageIdInOneSecondStayTwoByImap) {
  server.deliver(mail_from(bert, "alarm", "", "", "first\r\n"));
  server.deliver(mail_from(bert, "alarm", "", "", "other\r\n"));
  organisation.must_run();
  EXPECT_THAT(organisation.records(RecordKind::email), SizeIs(2));
  organisation.expect_quiet();
  server.number_anew("INBOX");
  organisation.must_run();
  EXPECT_THAT(organisation.records(RecordKind::email), SizeIs(2));
  EXPECT_EQ(linked(), 2u);
}

}  // namespace
}  // namespace syncline::sync::testing
