// SPDX-License-Identifier: GPL-3.0-or-later
#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <cstring>
#include <set>

#include "routing/smtp/driver/sender.hpp"
#include "tests/fake/smtp/smtp_peer.hpp"
#include "tests/support/memory_progress.hpp"

namespace syncline::smtp {
namespace {

using net::testing::VirtualWorld;
using syncline::testing::MemoryProgress;
using testing::SmtpPeer;

class TextSource final : public sync::ContentSource {
 public:
  explicit TextSource(std::string text) : text_(std::move(text)) {}
  std::uint64_t size() const override { return text_.size(); }
  Result<std::size_t> read(std::span<std::byte> buffer) override {
    const std::size_t count = std::min(buffer.size(), text_.size() - at_);
    std::memcpy(buffer.data(), text_.data() + at_, count);
    at_ += count;
    return count;
  }
  Result<void> rewind() override {
    at_ = 0;
    return {};
  }

 private:
  std::string text_;
  std::size_t at_ = 0;
};

struct SenderTest : ::testing::Test {
  SenderTest() {
    peer.listen(world, 587);
    order.what = sync::WriteOrder::What::send;
    order.operation_id = "op-1";
    to({"bob@example.test", "carol@example.test"});
    sent.copies = SentCopies::none;
  }

  void to(const std::vector<std::string>& addresses) {
    boost::json::array people;
    for (const std::string& address : addresses)
      people.push_back(boost::json::object{{"emailAddress", address}});
    order.fields["toRecipients"] = std::move(people);
  }

  /// A new sender, as after a restart.
  void restart() {
    SenderSettings settings;
    settings.session.endpoint = {.host = "mail.example.test", .port = 587, .tls = mail::TlsMode::none};
    settings.address = "alice@example.test";
    Compose compose = [this](const sync::WriteOrder& wanted, const ComposeWish& wish,
                             const sync::OpenContent&) -> Result<Message> {
      Message made;
      made.text = std::make_unique<TextSource>("Message-ID: " + wish.message_id + "\r\n" +
                                               std::string(mail::operation_header) + ": " +
                                               wanted.operation_id + "\r\n\r\nhello\r\n");
      wishes.push_back(wish);
      return made;
    };
    sender = std::make_unique<Sender>(world.environment(), settings, mail::ChooseSasl(), compose, sent);
  }

  Result<sync::Applied> send() {
    if (sender == nullptr) restart();
    const sync::OpenContent none;
    return world.run(sender->send(order, noted, none));
  }

  /// The Sent folder of a server that saves what it took.
  void server_saves_after(std::chrono::milliseconds delay) {
    sent.find = [this, delay](SentMark mark) -> Async<std::optional<sync::RemoteRef>> {
      ++looks;
      marks.push_back(mark);
      if (!peer.taken.empty() && world.elapsed() >= delay)
        co_return sync::RemoteRef{.id = "sent-1", .version = "1"};
      co_return std::nullopt;
    };
  }
  void can_append() {
    sent.append = [this](sync::ContentSource& text, SentMark) -> Async<sync::RemoteRef> {
      std::byte buffer[512];
      auto count = text.read(buffer);
      appended.emplace_back(reinterpret_cast<const char*>(buffer), count.value_or(0));
      co_return sync::RemoteRef{.id = "appended-" + std::to_string(appended.size())};
    };
  }

  SmtpPeer peer;  // outlives the world that its script runs in
  VirtualWorld world;
  sync::WriteOrder order;
  MemoryProgress noted{world.environment().clock};
  SentFolder sent;
  std::unique_ptr<Sender> sender;
  std::vector<ComposeWish> wishes;
  int looks = 0;
  std::vector<SentMark> marks;
  std::vector<std::string> appended;
};

TEST_F(SenderTest, AMessageGoesToEverybodyOnceAndProgressWasNotedBefore) {
  auto applied = send();
  ASSERT_TRUE(applied) << applied.error().describe();
  EXPECT_EQ(applied->sent_message_id, "<op-1.syncline@example.test>");
  EXPECT_EQ(applied->remark, "");
  ASSERT_EQ(peer.taken.size(), 1u);
  EXPECT_EQ(peer.taken[0].to.size(), 2u);
  EXPECT_NE(peer.taken[0].text.find("X-Syncline-Operation: op-1"), std::string::npos);
  EXPECT_EQ(noted.saves(), 1u);
}

/// Two messages at the same time, as the engine sends many.
struct TwoAtOnce : SenderTest {
  void send_both() {
    restart();
    other.operation_id = "op-2";
    world.spawn([](TwoAtOnce& test) -> net::asio::awaitable<void> {
      const sync::OpenContent none;
      test.second = co_await test.sender->send(test.other, test.other_noted, none);
    }(*this));
    first = send();
    while (!second && world.elapsed() < std::chrono::hours(1)) world.run_for(std::chrono::seconds(1));
  }
  std::multiset<std::string> operations() const {
    std::multiset<std::string> all;
    for (const testing::Received& one : peer.taken)
      all.insert(one.text.find(": op-1\r\n") != std::string::npos ? "op-1" : "op-2");
    return all;
  }

  sync::WriteOrder other = order;
  MemoryProgress other_noted{world.environment().clock};
  std::optional<Result<sync::Applied>> first;
  std::optional<Result<sync::Applied>> second;
};

TEST_F(TwoAtOnce, GoInSessionsOfTheirOwnThatAreUsedAgain) {
  send_both();
  ASSERT_TRUE(second && *second && *first);
  EXPECT_EQ(peer.connections, 2u);
  EXPECT_EQ(operations(), (std::multiset<std::string>{"op-1", "op-2"}));
  order.operation_id = "op-3";
  noted = MemoryProgress(world.environment().clock);
  EXPECT_TRUE(send());
  EXPECT_EQ(peer.connections, 2u);
}

TEST_F(TwoAtOnce, TakeTurnsWhereTheServerLetsAUserInOnce) {
  std::size_t refused = 0;
  peer.instead = [&](const std::string& line, std::size_t connection) -> std::optional<std::string> {
    if (connection == 0 || !line.starts_with("EHLO")) return std::nullopt;
    ++refused;
    return "421 4.7.0 too many connections of this user\r\n";
  };
  send_both();
  ASSERT_TRUE(second);
  ASSERT_TRUE(*first) << (*first).error().describe();
  ASSERT_TRUE(*second) << (*second).error().describe();
  EXPECT_EQ(operations(), (std::multiset<std::string>{"op-1", "op-2"}));
  EXPECT_EQ(refused, 1u) << "it is remembered";
}

TEST_F(TwoAtOnce, AreBothToldOfAWrongPasswordThatWasTriedOnce) {
  peer.instead = [](const std::string& line, std::size_t) -> std::optional<std::string> {
    if (!line.starts_with("EHLO")) return std::nullopt;
    return "535 5.7.8 Authentication credentials invalid\r\n";
  };
  send_both();
  ASSERT_TRUE(second);
  ASSERT_FALSE(*first);
  ASSERT_FALSE(*second);
  EXPECT_EQ((*first).error().retry, RetryClass::reauthenticate);
  EXPECT_EQ((*second).error().retry, RetryClass::reauthenticate);
  EXPECT_EQ(peer.connections, 1u);
}

TEST_F(TwoAtOnce, ThatWaitForTheSentFolderHaveNotedThatTheyAreSent) {
  sent.copies = SentCopies::append;
  std::string noted_while_waiting;
  sent.append = [&](sync::ContentSource&, SentMark) -> Async<sync::RemoteRef> {
    auto slept = co_await world.environment().timers.sleep_until(world.environment().clock.steady_now() +
                                                                 std::chrono::seconds(3));
    if (noted_while_waiting.empty())
      noted_while_waiting = std::string(noted.text()) + other_noted.text().data();
    co_return sync::RemoteRef{.id = slept ? "copy" : ""};
  };
  send_both();
  ASSERT_TRUE(second && *second && *first);
  EXPECT_EQ(noted_while_waiting.find("\"open\""), std::string::npos) << noted_while_waiting;
}

TEST_F(TwoAtOnce, UseTheSentFolderOneAfterTheOther) {
  sent.copies = SentCopies::append;
  std::size_t inside = 0, most = 0;
  sent.append = [&](sync::ContentSource&, SentMark mark) -> Async<sync::RemoteRef> {
    most = std::max(most, ++inside);
    auto slept = co_await world.environment().timers.sleep_until(world.environment().clock.steady_now() +
                                                                 std::chrono::seconds(3));
    --inside;
    co_return sync::RemoteRef{.id = slept ? mark.operation_id : "awake"};
  };
  send_both();
  ASSERT_TRUE(second && *second && *first);
  EXPECT_EQ((**first).item.id, "op-1");
  EXPECT_EQ((**second).item.id, "op-2");
  EXPECT_EQ(most, 1u);
}

TEST_F(SenderTest, TheRecordsOwnMessageIdIsKept) {
  order.fields["internetMessageId"] = "<kept@example.test>";
  EXPECT_EQ(send()->sent_message_id, "<kept@example.test>");
  noted = MemoryProgress(world.environment().clock);
  order.fields["internetMessageId"] = "<bad@example.test>\r\nBcc: evil@example.test";
  EXPECT_EQ(send()->sent_message_id, "<op-1.syncline@example.test>") << "what is none is not taken";
}

TEST_F(SenderTest, AMessageIdThatTheServerGaveIsTheOneThatWentOut) {
  peer.verdict = [](std::size_t) -> std::string {
    return "250 2.0.0 OK <new-one@prod.outlook.test> [Hostname=AB1.prod.outlook.test]\r\n";
  };
  EXPECT_EQ(send()->sent_message_id, "<new-one@prod.outlook.test>");
}

TEST_F(SenderTest, ManyMessagesUseOneConnection) {
  for (int i = 0; i < 20; ++i) {
    MemoryProgress fresh(world.environment().clock);
    const sync::OpenContent none;
    if (sender == nullptr) restart();
    ASSERT_TRUE(world.run(sender->send(order, fresh, none)));
  }
  EXPECT_EQ(peer.taken.size(), 20u);
  EXPECT_EQ(peer.connections, 1u);
}

TEST_F(SenderTest, AConnectionThatTheServerClosedMeanwhileCostsNothing) {
  ASSERT_TRUE(send());
  world.run_for(std::chrono::seconds(30));
  peer.instead = [](const std::string& line, std::size_t connection) -> std::optional<std::string> {
    if (connection == 0 && line == "RSET") return "421 4.4.2 idle for too long\r\n";
    return std::nullopt;
  };
  MemoryProgress fresh(world.environment().clock);
  const sync::OpenContent none;
  ASSERT_TRUE(world.run(sender->send(order, fresh, none)));
  EXPECT_EQ(peer.connections, 2u);
  EXPECT_EQ(peer.taken.size(), 2u);
}

TEST_F(SenderTest, ALostAnswerIsSettledByTheSentFolder) {
  server_saves_after(std::chrono::seconds(40));
  peer.verdict = [](std::size_t) -> std::string { return "vanish"; };
  auto first = send();
  ASSERT_FALSE(first);
  EXPECT_EQ(first.error().code, "uncertain");
  EXPECT_EQ(first.error().retry, RetryClass::after);
  restart();
  auto second = send();
  ASSERT_TRUE(second) << second.error().describe();
  EXPECT_EQ(peer.taken.size(), 1u) << "not sent again";
  EXPECT_EQ(marks.front().message_id, "<op-1.syncline@example.test>");
  EXPECT_EQ(marks.front().operation_id, "op-1");
  EXPECT_EQ(second->remark, "");
}

TEST_F(SenderTest, WhoWasRefusedBeforeTheAnswerWasLostHasNotGotTheMessage) {
  to({"bob@example.test", "nobody@example.test", "carol@example.test"});
  server_saves_after(std::chrono::seconds(0));
  peer.instead = [](const std::string& line, std::size_t) -> std::optional<std::string> {
    if (line.find("<nobody@") != std::string::npos) return "550 5.1.1 no such user\r\n";
    return std::nullopt;
  };
  peer.verdict = [](std::size_t) -> std::string { return "vanish"; };
  ASSERT_EQ(send().error().code, "uncertain");
  restart();
  auto settled = send();
  ASSERT_TRUE(settled) << settled.error().describe();
  EXPECT_EQ(settled->refused_recipients, std::vector<std::string>{"nobody@example.test"});
  EXPECT_NE(settled->remark.find("no such user"), std::string::npos) << settled->remark;
  EXPECT_EQ(settled->remark.find("bob@"), std::string::npos) << "their answers came: " << settled->remark;
  EXPECT_EQ(peer.taken.size(), 1u);
}

TEST_F(SenderTest, WhereNoAnswerCameTheSentFolderTellsOfTheMessageAndNotOfEachRecipient) {
  server_saves_after(std::chrono::seconds(0));
  peer.offers = {"PIPELINING", "CHUNKING"};
  peer.instead = [this](const std::string& line, std::size_t) -> std::optional<std::string> {
    if (!line.starts_with("BDAT")) return std::nullopt;
    peer.taken.emplace_back();
    return "close";
  };
  // All of it goes in one piece; the process ends when it is gone.
  noted.die(MemoryProgress::Death::before_save, 2);
  ASSERT_FALSE(send());
  restart();
  auto settled = send();
  ASSERT_TRUE(settled) << settled.error().describe();
  EXPECT_NE(settled->remark.find("not known to be accepted for bob@example.test, carol@example.test"),
            std::string::npos)
      << settled->remark;
  EXPECT_EQ(peer.taken.size(), 1u);
}

TEST_F(SenderTest, WithoutEvidenceInTwoMinutesAPersonIsAsked) {
  server_saves_after(std::chrono::hours(1));
  peer.verdict = [](std::size_t) -> std::string { return "drop"; };
  ASSERT_EQ(send().error().code, "uncertain");
  const auto began = world.elapsed();
  auto second = send();
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, "needs-person");
  EXPECT_EQ(second.error().retry, RetryClass::never);
  EXPECT_GE(world.elapsed() - began, std::chrono::seconds(115));
  EXPECT_LE(world.elapsed() - began, std::chrono::seconds(130));
  EXPECT_EQ(peer.offered, 1u);
}

TEST_F(SenderTest, WithoutASentFolderAPersonIsAskedAtOnce) {
  peer.verdict = [](std::size_t) -> std::string { return "drop"; };
  ASSERT_EQ(send().error().code, "uncertain");
  EXPECT_EQ(send().error().code, "needs-person");
  EXPECT_EQ(peer.offered, 1u);
}

TEST_F(SenderTest, ASentFolderThatCannotBeReadLeavesItUncertain) {
  peer.verdict = [](std::size_t) -> std::string { return "vanish"; };
  ASSERT_EQ(send().error().code, "uncertain");
  sent.find = [](SentMark) -> Async<std::optional<sync::RemoteRef>> {
    co_return fail(ErrorDomain::net, "connection-refused", "no", RetryClass::after);
  };
  restart();
  auto again = send();
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().retry, RetryClass::after);
  EXPECT_EQ(again.error().code, "connection-refused");
  EXPECT_EQ(peer.offered, 1u);
}

TEST_F(SenderTest, KilledBeforeOrAfterEachNoteItIsNeverSentTwice) {
  server_saves_after(std::chrono::seconds(0));
  using Death = MemoryProgress::Death;
  for (const Death death : {Death::before_save, Death::after_save})
    for (unsigned nth = 1; nth <= 4; ++nth) {
      peer.taken.clear();
      noted = MemoryProgress(world.environment().clock);
      noted.die(death, nth);
      restart();
      auto killed = send();
      if (killed) continue;
      EXPECT_EQ(killed.error().code, "killed");
      restart();
      auto again = send();
      if (again)
        EXPECT_EQ(peer.taken.size(), 1u) << static_cast<int>(death) << nth;
      else
        EXPECT_TRUE(again.error().code == "needs-person" && peer.taken.empty()) << again.error().describe();
    }
}

TEST_F(SenderTest, OnlyThoseWhoWerePutOffAreTriedAgain) {
  to({"bob@example.test", "slow@example.test", "nobody@example.test"});
  bool slow = true;
  peer.instead = [&](const std::string& line, std::size_t) -> std::optional<std::string> {
    if (line.find("<slow@") != std::string::npos && slow) return "450 4.2.0 greylisted\r\n";
    if (line.find("<nobody@") != std::string::npos) return "550 5.1.1 no such user\r\n";
    return std::nullopt;
  };
  auto first = send();
  ASSERT_FALSE(first);
  EXPECT_EQ(first.error().code, "recipients-deferred");
  EXPECT_EQ(first.error().retry, RetryClass::after);
  slow = false;
  restart();
  auto second = send();
  ASSERT_TRUE(second) << second.error().describe();
  ASSERT_EQ(peer.taken.size(), 2u);
  EXPECT_EQ(peer.taken[0].to, (std::vector<std::string>{"bob@example.test"}));
  EXPECT_EQ(peer.taken[1].to, (std::vector<std::string>{"slow@example.test"}));
  EXPECT_NE(second->remark.find("nobody@example.test"), std::string::npos) << second->remark;
  EXPECT_EQ(second->refused_recipients, std::vector<std::string>{"nobody@example.test"});
  EXPECT_EQ(second->remark.find("slow@"), std::string::npos);
}

TEST_F(SenderTest, WhoIsPutOffForEverIsGivenUpWhileTheOthersHaveIt) {
  to({"bob@example.test", "slow@example.test"});
  peer.instead = [&](const std::string& line, std::size_t) -> std::optional<std::string> {
    if (line.find("<slow@") != std::string::npos) return "450 4.2.0 greylisted\r\n";
    return std::nullopt;
  };
  Result<sync::Applied> last = fail(ErrorDomain::local, "none", "");
  int tries = 0;
  for (; tries < 20 && !last; ++tries) last = send();
  ASSERT_TRUE(last);
  EXPECT_LT(tries, 10) << "before the engine itself gives the order up";
  EXPECT_NE(last->remark.find("slow@example.test"), std::string::npos);
  EXPECT_EQ(peer.taken.size(), 1u);
}

TEST_F(SenderTest, WhatFailsForGoodAfterSomebodyHasItIsARemark) {
  to({"bob@example.test", "slow@example.test"});
  peer.instead = [&](const std::string& line, std::size_t) -> std::optional<std::string> {
    if (line.find("<slow@") != std::string::npos) return "450 4.2.0 greylisted\r\n";
    if (line.starts_with("MAIL") && !peer.taken.empty()) return "550 5.7.60 not as this sender\r\n";
    return std::nullopt;
  };
  ASSERT_EQ(send().error().code, "recipients-deferred");
  restart();
  auto second = send();
  ASSERT_TRUE(second) << second.error().describe();
  EXPECT_NE(second->remark.find("slow@example.test"), std::string::npos);
  EXPECT_EQ(second->remark.find("bob@example.test"), std::string::npos);
}

TEST_F(SenderTest, UnicodeHeadersAreOnlyWrittenWhereAnAddressNeedsThem) {
  peer.offers.push_back("SMTPUTF8");
  ASSERT_TRUE(send());
  EXPECT_FALSE(wishes.back().allow_utf8_header || wishes.back().allow_eight_bit);
  to({"jürgen@example.test"});
  noted = MemoryProgress(world.environment().clock);
  ASSERT_TRUE(send());
  EXPECT_TRUE(wishes.back().allow_utf8_header && wishes.back().allow_eight_bit);
}

TEST_F(SenderTest, AMessageThatNobodyTakesFails) {
  peer.instead = [&](const std::string& line, std::size_t) -> std::optional<std::string> {
    if (line.starts_with("RCPT")) return "550 5.1.1 no such user\r\n";
    return std::nullopt;
  };
  auto applied = send();
  ASSERT_FALSE(applied);
  EXPECT_EQ(applied.error().code, "no-such-mailbox");
  EXPECT_EQ(applied.error().retry, RetryClass::never);
  order.fields.erase("toRecipients");
  noted = MemoryProgress(world.environment().clock);
  EXPECT_EQ(send().error().code, "no-recipients");
}

TEST_F(SenderTest, AServerThatTakesFewAtOnceGetsTheRestWithTheNextMessage) {
  to({"a@example.test", "b@example.test", "c@example.test", "d@example.test", "e@example.test"});
  int in_message = 0;
  peer.instead = [&](const std::string& line, std::size_t) -> std::optional<std::string> {
    if (line.starts_with("MAIL")) in_message = 0;
    if (line.starts_with("RCPT") && ++in_message > 2) return "452 4.5.3 too many recipients\r\n";
    return std::nullopt;
  };
  auto applied = send();
  ASSERT_TRUE(applied) << applied.error().describe();
  EXPECT_EQ(peer.taken.size(), 3u);
  EXPECT_EQ(applied->remark, "");
}

TEST_F(SenderTest, ACopyOfTheServersIsFoundAndLearnedOf) {
  sent.copies = SentCopies::automatic;
  server_saves_after(std::chrono::seconds(12));
  can_append();
  auto first = send();
  ASSERT_TRUE(first);
  EXPECT_EQ(first->item.id, "sent-1");
  EXPECT_TRUE(appended.empty());
  const auto began = world.elapsed();
  MemoryProgress fresh(world.environment().clock);
  const sync::OpenContent none;
  ASSERT_TRUE(world.run(sender->send(order, fresh, none)));
  EXPECT_EQ(world.elapsed(), began) << "the next one is not waited for";
}

TEST_F(SenderTest, Invariant17WhereTheServerSavesNoneACopyIsAppendedAfterAMinuteAndThenAtOnce) {
  sent.copies = SentCopies::automatic;
  server_saves_after(std::chrono::hours(1));
  can_append();
  auto first = send();
  ASSERT_TRUE(first);
  EXPECT_EQ(first->item.id, "appended-1");
  EXPECT_GE(world.elapsed(), std::chrono::seconds(60));
  EXPECT_LE(world.elapsed(), std::chrono::seconds(70));
  ASSERT_EQ(appended.size(), 1u);
  EXPECT_NE(appended[0].find("<op-1.syncline@example.test>"), std::string::npos);
  const auto began = world.elapsed();
  MemoryProgress fresh(world.environment().clock);
  const sync::OpenContent none;
  ASSERT_TRUE(world.run(sender->send(order, fresh, none)));
  EXPECT_EQ(world.elapsed(), began);
  EXPECT_EQ(appended.size(), 2u);
}

TEST_F(SenderTest, NoCopyIsAppendedWhereTheProviderSavesOne) {
  sent.copies = SentCopies::server;
  server_saves_after(std::chrono::hours(1));
  can_append();
  auto applied = send();
  ASSERT_TRUE(applied);
  EXPECT_TRUE(appended.empty());
  EXPECT_EQ(applied->item.id, "");
  EXPECT_EQ(world.elapsed(), std::chrono::seconds(0));
}

TEST_F(SenderTest, AFaultOfTheSentFolderNeverSendsAgain) {
  sent.copies = SentCopies::append;
  int failures = 0;
  sent.append = [&](sync::ContentSource&, SentMark) -> Async<sync::RemoteRef> {
    ++failures;
    co_return fail(ErrorDomain::net, "connection-refused", "no", RetryClass::after);
  };
  Result<sync::Applied> last = fail(ErrorDomain::local, "none", "");
  for (int tries = 0; tries < 10 && !last; ++tries) {
    restart();
    last = send();
  }
  ASSERT_TRUE(last) << last.error().describe();
  EXPECT_EQ(failures, 3);
  EXPECT_NE(last->remark.find("no copy is in the Sent folder"), std::string::npos);
  EXPECT_EQ(peer.taken.size(), 1u);
}

TEST_F(SenderTest, ProgressThatIsNotOursIsAnErrorAndSendsNothing) {
  ASSERT_TRUE(noted.save("{\"step\":\"create\"}"));
  auto applied = send();
  ASSERT_FALSE(applied);
  EXPECT_EQ(applied.error().code, "bad-progress");
  EXPECT_TRUE(peer.commands.empty());
}

}  // namespace
}  // namespace syncline::smtp
