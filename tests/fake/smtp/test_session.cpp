// SPDX-License-Identifier: GPL-3.0-or-later
#include <gtest/gtest.h>

#include "base/base64.hpp"
#include "routing/smtp/session.hpp"
#include "tests/fake/smtp/smtp_peer.hpp"

namespace syncline::smtp {
namespace {

using net::Async;
using net::testing::VirtualWorld;
using testing::SmtpPeer;

class PlainExchange final : public auth::SaslExchange {
 public:
  explicit PlainExchange(std::string response) : response_(std::move(response)) {}
  std::string_view mechanism() const noexcept override { return "PLAIN"; }
  bool client_first() const noexcept override { return true; }
  Async<Secret> respond(std::string challenge) override {
    challenges_.push_back(std::move(challenge));
    if (challenges_.size() == 1) co_return Secret(std::string(response_));
    co_return Secret(std::string());
  }
  Result<void> finished() override { return {}; }

 private:
  std::string response_;
  std::vector<std::string> challenges_;
};

mail::ChooseSasl plain(std::string response = std::string("\0alice\0secret", 13)) {
  return [response](const auth::SaslOffer& offer) -> Result<std::unique_ptr<auth::SaslExchange>> {
    EXPECT_TRUE(offer.is_tls);
    return std::make_unique<PlainExchange>(response);
  };
}

SessionSettings settings(mail::TlsMode tls = mail::TlsMode::none) {
  return {.endpoint = {.host = "mail.example.test", .port = 587, .tls = tls}};
}

const std::string small_text = "Subject: x\r\n\r\n.a line with a dot\r\nand one without\r\n";

/// A session in its world, with what went wrong at opening.
struct Opened {
  explicit Opened(SmtpPeer& peer, SessionSettings wanted = settings(), const mail::ChooseSasl& choose = {})
      : peer(peer) {
    peer.listen(world, wanted.endpoint.port, wanted.endpoint.tls == mail::TlsMode::implicit);
    auto opened = world.run(Session::open(world.environment(), wanted, choose));
    if (opened)
      session = std::move(*opened);
    else
      error = std::move(opened.error());
  }
  Delivery send(Envelope envelope, std::string text, BeforeCommit before = {}) {
    net::StringSource source(std::move(text));
    auto delivery = world.run(session->send(envelope, source, before));
    EXPECT_TRUE(delivery) << delivery.error().describe();
    return delivery ? std::move(*delivery) : Delivery();
  }

  VirtualWorld world;
  SmtpPeer& peer;
  std::unique_ptr<Session> session;
  Error error;
};

Envelope to(std::vector<std::string> recipients) {
  return {.sender = "alice@example.test", .recipients = std::move(recipients)};
}

TEST(SmtpSession, AShortMessageIsOneRoundTripWithChunking) {
  SmtpPeer peer;
  Opened open(peer);
  ASSERT_NE(open.session, nullptr) << open.error.describe();
  const std::size_t before = peer.reads;
  const Delivery delivery = open.send(to({"bob@example.test", "carol@example.test"}), small_text);
  EXPECT_EQ(delivery.state, Delivery::State::accepted) << delivery.error.describe();
  EXPECT_EQ(peer.reads - before, 1u) << "MAIL, RCPT, BDAT and the text in one write";
  ASSERT_EQ(peer.taken.size(), 1u);
  EXPECT_EQ(peer.taken[0].text, small_text);
  EXPECT_EQ(peer.taken[0].to, (std::vector<std::string>{"bob@example.test", "carol@example.test"}));
  EXPECT_EQ(peer.taken[0].from, "alice@example.test");
}

TEST(SmtpSession, EveryWayOfSendingGivesTheSameText) {
  const std::vector<std::vector<std::string>> offers = {
      {}, {"PIPELINING"}, {"CHUNKING"}, {"PIPELINING", "CHUNKING"}};
  std::string large = "Subject: large\r\n\r\n";
  for (int i = 0; i < 30'000; ++i)
    large += (i % 7 == 0 ? "." : "") + std::to_string(i) + " lines of some length\r\n";
  for (const std::vector<std::string>& offered : offers)
    for (const std::string& text : {small_text, large}) {
      SmtpPeer peer;
      peer.offers = offered;
      Opened open(peer);
      ASSERT_NE(open.session, nullptr);
      for (int i = 0; i < 2; ++i) {
        const Delivery delivery = open.send(to({"bob@example.test"}), text);
        EXPECT_EQ(delivery.state, Delivery::State::accepted) << delivery.error.describe();
      }
      ASSERT_EQ(peer.taken.size(), 2u);
      EXPECT_TRUE(peer.taken[0].text == text) << "of " << text.size() << " octets";
      EXPECT_TRUE(peer.taken[1].text == text);
      EXPECT_EQ(peer.connections, 1u);
    }
}

TEST(SmtpSession, TextAndFinalDotAreOneWrite) {
  SmtpPeer peer;
  peer.offers = {"PIPELINING"};
  Opened open(peer);
  const std::size_t before = peer.reads;
  EXPECT_EQ(open.send(to({"bob@example.test"}), small_text).state, Delivery::State::accepted);
  EXPECT_EQ(peer.reads - before, 1u) << "the text is read behind the command line; commands were one piece";
}

TEST(SmtpSession, EachRecipientHasAResultOfItsOwn) {
  for (const bool chunking : {true, false}) {
    SmtpPeer peer;
    peer.offers = {"PIPELINING"};
    if (chunking) peer.offers.push_back("CHUNKING");
    peer.instead = [](const std::string& line, std::size_t) -> std::optional<std::string> {
      if (line.find("full@") != std::string::npos) return "452 4.2.2 mailbox full\r\n";
      if (line.find("nobody@") != std::string::npos) return "550 5.1.1 no such user\r\n";
      return std::nullopt;
    };
    Opened open(peer);
    const Delivery delivery = open.send(
        to({"bob@example.test", "full@example.test", "nobody@example.test", "bad\r\naddress@example.test"}),
        small_text);
    EXPECT_EQ(delivery.state, Delivery::State::accepted);
    ASSERT_EQ(delivery.recipients.size(), 4u);
    EXPECT_EQ(delivery.recipients[0].state, RecipientResult::State::accepted);
    EXPECT_EQ(delivery.recipients[1].state, RecipientResult::State::temporary);
    EXPECT_EQ(delivery.recipients[1].error.code, "mailbox-full");
    EXPECT_EQ(delivery.recipients[2].state, RecipientResult::State::permanent);
    EXPECT_EQ(delivery.recipients[2].error.code, "no-such-mailbox");
    EXPECT_EQ(delivery.recipients[3].state, RecipientResult::State::permanent);
    EXPECT_EQ(delivery.recipients[3].error.code, "bad-address");
    for (const std::string& line : peer.commands) EXPECT_EQ(line.find("bad"), std::string::npos) << line;
    EXPECT_EQ(open.send(to({"bob@example.test"}), small_text).state, Delivery::State::accepted)
        << "the session goes on";
  }
}

TEST(SmtpSession, WhereNobodyIsAcceptedNothingIsSent) {
  for (const bool chunking : {true, false}) {
    for (const bool takes_data : {true, false}) {
      SmtpPeer peer;
      peer.offers = {"PIPELINING"};
      if (chunking) peer.offers.push_back("CHUNKING");
      peer.instead = [&](const std::string& line, std::size_t) -> std::optional<std::string> {
        if (line.find("nobody@") != std::string::npos) return "550 5.1.1 no such user\r\n";
        if (line == "DATA" && takes_data && peer.taken.empty()) return "354 well then\r\n";
        return std::nullopt;
      };
      peer.verdict = [](std::size_t n) -> std::string {
        return n == 0 ? "554 5.5.1 no recipients\r\n" : "250 ok\r\n";
      };
      Opened open(peer);
      const Delivery delivery = open.send(to({"nobody@example.test"}), small_text);
      EXPECT_EQ(delivery.state, Delivery::State::refused);
      EXPECT_EQ(delivery.error.code, "no-such-mailbox");
      EXPECT_TRUE(peer.taken.empty());
      if (takes_data && !chunking) continue;  // the peer's script ends there
      peer.verdict = {};
      EXPECT_EQ(open.send(to({"bob@example.test"}), small_text).state, Delivery::State::accepted);
    }
  }
}

TEST(SmtpSession, ASenderWhoIsRefusedSaysNothingAboutRecipients) {
  SmtpPeer peer;
  bool first = true;
  peer.instead = [&](const std::string& line, std::size_t) -> std::optional<std::string> {
    if (!first) return std::nullopt;
    if (line.starts_with("MAIL")) return "550 5.7.60 not allowed to send as this sender\r\n";
    if (line.starts_with("RCPT")) return "503 5.5.1 MAIL first\r\n";
    if (line.starts_with("BDAT")) {
      first = false;
      return "503 5.5.1 MAIL first\r\n";
    }
    return std::nullopt;
  };
  Opened open(peer);
  const Delivery delivery = open.send(to({"bob@example.test"}), small_text);
  EXPECT_EQ(delivery.state, Delivery::State::refused);
  EXPECT_EQ(delivery.error.code, "not-allowed-as-sender");
  EXPECT_EQ(open.send(to({"bob@example.test"}), small_text).state, Delivery::State::accepted);
  EXPECT_EQ(peer.taken.size(), 1u);
}

TEST(SmtpSession, ALostAnswerAfterTheLastOctetIsUnknownAndEveryOtherIsNot) {
  for (const bool chunking : {true, false}) {
    SmtpPeer peer;
    peer.offers = {"PIPELINING"};
    if (chunking) peer.offers.push_back("CHUNKING");
    peer.verdict = [](std::size_t) -> std::string { return "vanish"; };
    Opened open(peer);
    bool committed = false;
    const Delivery delivery = open.send(to({"bob@example.test"}), small_text, [&]() -> Result<void> {
      committed = true;
      return {};
    });
    EXPECT_TRUE(committed);
    EXPECT_EQ(delivery.state, Delivery::State::unknown);
    EXPECT_FALSE(open.session->usable());
  }
  {
    SmtpPeer peer;
    peer.verdict = [](std::size_t) -> std::string { return "421 4.3.2 shutting down\r\n"; };
    Opened open(peer);
    const Delivery delivery = open.send(to({"bob@example.test"}), small_text);
    EXPECT_EQ(delivery.state, Delivery::State::refused) << "421 is an answer";
    EXPECT_EQ(delivery.error.code, "service-closing");
    EXPECT_EQ(delivery.recipients[0].state, RecipientResult::State::temporary);
    EXPECT_FALSE(open.session->usable());
  }
  {
    SmtpPeer peer;
    peer.instead = [](const std::string& line, std::size_t) -> std::optional<std::string> {
      if (line.starts_with("RCPT")) return "421 4.7.0 too much for today\r\n";
      return std::nullopt;
    };
    Opened open(peer);
    const Delivery delivery = open.send(to({"bob@example.test"}), small_text);
    EXPECT_EQ(delivery.state, Delivery::State::refused) << "BDAT stands behind it and was not looked at";
    EXPECT_EQ(delivery.error.code, "throttled");
  }
  {
    SmtpPeer peer;
    peer.offers = {"PIPELINING"};
    peer.instead = [](const std::string& line, std::size_t) -> std::optional<std::string> {
      if (line == "DATA") return "close";
      return std::nullopt;
    };
    Opened open(peer);
    const Delivery delivery = open.send(to({"bob@example.test"}), small_text);
    EXPECT_EQ(delivery.state, Delivery::State::refused) << "no dot was sent";
  }
}

TEST(SmtpSession, NothingGoesOutIfProgressCannotBeNoted) {
  for (const std::vector<std::string>& offers :
       {std::vector<std::string>{"PIPELINING", "CHUNKING"}, {"PIPELINING"}, {"CHUNKING"}}) {
    SmtpPeer peer;
    peer.offers = offers;
    Opened open(peer);
    const Delivery delivery = open.send(to({"bob@example.test"}), small_text, []() -> Result<void> {
      return fail(ErrorDomain::local, "disk-full", "no room");
    });
    EXPECT_EQ(delivery.state, Delivery::State::refused);
    EXPECT_EQ(delivery.error.code, "disk-full");
    open.world.run_for(std::chrono::seconds(1));
    EXPECT_TRUE(peer.taken.empty());
  }
}

TEST(SmtpSession, AMessageOverTheServersSizeIsNotOffered) {
  SmtpPeer peer;
  peer.offers = {"SIZE 20"};
  Opened open(peer);
  const Delivery delivery = open.send(to({"bob@example.test"}), small_text);
  EXPECT_EQ(delivery.error.code, "message-too-large");
  EXPECT_EQ(delivery.error.retry, RetryClass::never);
  EXPECT_EQ(peer.commands.back().substr(0, 4), "EHLO");
}

TEST(SmtpSession, ManyRecipientsGoInGroupsThatNobodyHasToBuffer) {
  SmtpPeer peer;
  Opened open(peer);
  std::vector<std::string> many;
  for (int i = 0; i < 450; ++i) many.push_back("user" + std::to_string(i) + "@example.test");
  const Delivery delivery = open.send(to(many), small_text);
  EXPECT_EQ(delivery.state, Delivery::State::accepted) << delivery.error.describe();
  ASSERT_EQ(peer.taken.size(), 1u);
  EXPECT_EQ(peer.taken[0].to, many);
}

TEST(SmtpSession, StartTlsIsDoneAndSignedInAfterIt) {
  SmtpPeer peer;
  peer.offers = {"STARTTLS", "PIPELINING"};
  Opened open(peer, settings(mail::TlsMode::starttls), plain());
  ASSERT_NE(open.session, nullptr) << open.error.describe();
  EXPECT_TRUE(open.session->is_tls());
  EXPECT_EQ(peer.commands, (std::vector<std::string>{
                               "EHLO [127.0.0.1]", "STARTTLS", "EHLO [127.0.0.1]",
                               "AUTH PLAIN " + base64_encode(std::string_view("\0alice\0secret", 13))}));
}

TEST(SmtpSession, ImplicitTlsSignsInAtOnce) {
  SmtpPeer peer;
  Opened open(peer, settings(mail::TlsMode::implicit), plain());
  ASSERT_NE(open.session, nullptr) << open.error.describe();
  EXPECT_TRUE(open.session->is_tls());
}

TEST(SmtpSession, AServerWithoutStartTlsIsLeftBeforeAnythingIsSaid) {
  SmtpPeer peer;
  Opened open(peer, settings(mail::TlsMode::starttls), plain());
  EXPECT_EQ(open.session, nullptr);
  EXPECT_EQ(open.error.code, "no-starttls");
  EXPECT_EQ(open.error.retry, RetryClass::never);
  EXPECT_EQ(peer.commands, (std::vector<std::string>{"EHLO [127.0.0.1]"}));
}

TEST(SmtpSession, OctetsBeforeTheHandshakeEndTheSession) {
  SmtpPeer peer;
  peer.offers = {"STARTTLS"};
  peer.instead = [](const std::string& line, std::size_t) -> std::optional<std::string> {
    if (line == "STARTTLS") return "220 ready\r\n250-mail.example.test\r\n250 AUTH PLAIN\r\n";
    return std::nullopt;
  };
  Opened open(peer, settings(mail::TlsMode::starttls), plain());
  EXPECT_EQ(open.session, nullptr);
  EXPECT_EQ(open.error.code, "starttls-injection");
  EXPECT_EQ(open.error.domain, ErrorDomain::tls);
  EXPECT_EQ(open.error.retry, RetryClass::never);
  for (const std::string& line : peer.commands) EXPECT_FALSE(line.starts_with("AUTH"));
}

TEST(SmtpSession, ALongInitialResponseWaitsForTheServersQuestion) {
  SmtpPeer peer;
  const std::string token(900, 't');
  std::string answered;
  peer.instead = [&](const std::string& line, std::size_t) -> std::optional<std::string> {
    if (line == "AUTH PLAIN") return "334 \r\n";
    if (line == base64_encode(token)) {
      answered = line;
      return "235 2.7.0 welcome\r\n";
    }
    return std::nullopt;
  };
  Opened open(peer, settings(mail::TlsMode::implicit), plain(token));
  ASSERT_NE(open.session, nullptr) << open.error.describe();
  EXPECT_FALSE(answered.empty());
}

TEST(SmtpSession, RefusedCredentialsAndPassingFaultsAreToldApart) {
  struct Case {
    const char* reply;
    RetryClass retry;
  };
  for (const Case one : {Case{"535 5.7.8 bad credentials\r\n", RetryClass::reauthenticate},
                         Case{"454 4.7.0 temporary authentication failure\r\n", RetryClass::after},
                         Case{"421 4.7.0 try again later\r\n", RetryClass::after}}) {
    SmtpPeer peer;
    peer.instead = [&](const std::string& line, std::size_t) -> std::optional<std::string> {
      if (line.starts_with("AUTH")) return one.reply;
      return std::nullopt;
    };
    Opened open(peer, settings(mail::TlsMode::implicit), plain());
    EXPECT_EQ(open.session, nullptr);
    EXPECT_EQ(open.error.retry, one.retry) << one.reply << open.error.describe();
    EXPECT_EQ(open.error.describe().find("secret"), std::string::npos);
  }
}

TEST(SmtpSession, AnOldServerIsGreetedTheOldWay) {
  SmtpPeer peer;
  peer.instead = [](const std::string& line, std::size_t) -> std::optional<std::string> {
    if (line.starts_with("EHLO")) return "502 what?\r\n";
    if (line.starts_with("HELO")) return "250 hello\r\n";
    return std::nullopt;
  };
  Opened open(peer);
  ASSERT_NE(open.session, nullptr);
  EXPECT_EQ(open.send(to({"bob@example.test"}), small_text).state, Delivery::State::accepted);
}

TEST(SmtpSession, HostileGreetingsAreErrorsAndEndlessOnesEnd) {
  struct Case {
    std::string greeting;
    std::string code;
  };
  for (const Case& one :
       {Case{"554 5.3.2 no service here\r\n", "refused"}, Case{"421 4.3.2 later\r\n", "service-closing"},
        Case{"* OK IMAP ready\r\n", "bad-reply"}, Case{std::string(100'000, 'x'), "line-too-long"},
        Case{"", "timeout"}, Case{"220-a\r\n", "timeout"}, Case{"250 hello\r\n", "unexpected-reply"}}) {
    SmtpPeer peer;
    peer.greeting = one.greeting;
    Opened open(peer);
    EXPECT_EQ(open.session, nullptr);
    EXPECT_EQ(open.error.code, one.code) << one.greeting.substr(0, 40);
  }
}

TEST(SmtpSession, AServerThatStopsAnsweringIsLeftAtTheDeadline) {
  SmtpPeer peer;
  peer.instead = [](const std::string& line, std::size_t) -> std::optional<std::string> {
    if (line.starts_with("MAIL")) return "";
    return std::nullopt;
  };
  peer.offers = {};
  Opened open(peer);
  const auto began = open.world.elapsed();
  const Delivery delivery = open.send(to({"bob@example.test"}), small_text);
  EXPECT_EQ(delivery.state, Delivery::State::refused);
  EXPECT_EQ(delivery.error.code, "timeout");
  EXPECT_EQ(delivery.error.retry, RetryClass::after);
  EXPECT_LE(open.world.elapsed() - began, std::chrono::minutes(6));
}

}  // namespace
}  // namespace syncline::smtp
