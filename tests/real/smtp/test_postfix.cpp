// SPDX-License-Identifier: GPL-3.0-or-later
// Our submission client against Postfix, with Dovecot behind it for logins and delivery.
#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <thread>

#include "routing/smtp/driver/mime_composer.hpp"
#include "routing/smtp/driver/sender.hpp"
#include "tests/support/mail_client_lab.hpp"
#include "tests/support/memory_progress.hpp"

namespace syncline::smtp {
namespace {

using mail::TlsMode;
using syncline::testing::MailLab;

class Postfix : public syncline::testing::MailClientLab {
 protected:
  SessionSettings settings(TlsMode tls, std::string host = "localhost") {
    const std::uint16_t port = tls == TlsMode::implicit ? lab().ports().smtps : lab().ports().submission;
    SessionSettings made;
    made.endpoint = endpoint(port, tls, std::move(host));
    return made;
  }
  mail::ChooseSasl sign_in(Credentials with = {}) {
    return
        [this, with](const auth::SaslOffer& offer) { return choose(offer, MailLab::address("alice"), with); };
  }
  Result<std::unique_ptr<Session>> open(const SessionSettings& how, const mail::ChooseSasl& choose) {
    return run(Session::open(environment(), how, choose));
  }
  Result<Delivery> send(Session& session, const std::vector<std::string>& to, std::string text) {
    net::StringSource source(std::move(text));
    const Envelope envelope{.sender = MailLab::address("alice"), .recipients = to};
    const BeforeCommit nothing;
    return run(session.send(envelope, source, nothing));
  }
  /// The message with this text, once it is delivered: the servers hand it over by themselves.
  std::string delivered(std::string_view user, std::string_view marker) {
    for (int tries = 0; tries < 300; ++tries) {
      for (const auto& file : lab().files_of(user)) {
        const std::string part = file.parent_path().filename().string();
        if (part != "new" && part != "cur") continue;  // an index, or still being written
        const std::string text = content_of(file);
        if (text.find(marker) != std::string::npos) return text;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    return {};
  }
};

std::string with_crlf(const std::string& text) {
  std::string made;
  for (const char c : text) {
    if (c == '\n' && (made.empty() || made.back() != '\r')) made += '\r';
    made += c;
  }
  return made;
}

TEST_F(Postfix, TakesMessagesByEveryWayOfSendingOctetForOctet) {
  int number = 0;
  for (const TlsMode tls : {TlsMode::implicit, TlsMode::starttls})
    for (const bool chunking : {true, false})
      for (const bool pipelining : {true, false}) {
        SessionSettings how = settings(tls);
        how.transaction.use_chunking = chunking;
        how.transaction.use_pipelining = pipelining;
        auto session = open(how, sign_in());
        ASSERT_TRUE(session) << session.error().describe();
        EXPECT_TRUE((*session)->is_tls());
        EXPECT_TRUE((*session)->capabilities().pipelining && (*session)->capabilities().chunking);
        for (const std::size_t lines : {3u, 9000u}) {
          const std::string marker = "<way-" + std::to_string(++number) + "@lab.test>";
          std::string text =
              "From: alice@lab.test\r\nTo: bob@lab.test\r\nDate: Mon, 5 Jan 2026 08:00:00 +0000\r\n"
              "Message-ID: " +
              marker + "\r\nSubject: dots\r\n\r\n";
          for (std::size_t i = 0; i < lines; ++i)
            text += ".\r\n..line " + std::to_string(i) + " of the message\r\n";
          auto delivery = send(**session, {MailLab::address("bob")}, text);
          ASSERT_TRUE(delivery);
          ASSERT_EQ(delivery->state, Delivery::State::accepted) << delivery->error.describe();
          const std::string got = with_crlf(delivered("bob", marker));
          ASSERT_GT(got.size(), text.size()) << marker;
          EXPECT_TRUE(got.ends_with(text)) << marker;
        }
        EXPECT_TRUE(run((*session)->quit()));
      }
}

TEST_F(Postfix, SignsInByEveryMechanismBothSidesKnow) {
  for (const TlsMode tls : {TlsMode::implicit, TlsMode::starttls}) {
    for (const char* mechanism : {"PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256"}) {
      auto session = open(settings(tls), sign_in({.mechanisms = {mechanism}}));
      EXPECT_TRUE(session) << mechanism << ": " << session.error().describe();
    }
    for (const char* mechanism : {"XOAUTH2", "OAUTHBEARER"}) {
      auto session = open(settings(tls), sign_in({.password = "", .mechanisms = {mechanism}}));
      EXPECT_TRUE(session) << mechanism << ": " << session.error().describe();
    }
  }
}

TEST_F(Postfix, AWrongPasswordAndAnExpiredTokenAreRefusedAndNeverShown) {
  for (const char* mechanism : {"PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256"}) {
    auto session =
        open(settings(TlsMode::starttls), sign_in({.password = "wrong-horse", .mechanisms = {mechanism}}));
    ASSERT_FALSE(session) << mechanism;
    EXPECT_EQ(session.error().retry, RetryClass::reauthenticate) << mechanism << session.error().describe();
    EXPECT_EQ(session.error().describe().find("wrong-horse"), std::string::npos);
  }
  for (const char* mechanism : {"XOAUTH2", "OAUTHBEARER"}) {
    auto session =
        open(settings(TlsMode::implicit),
             sign_in({.password = "", .lifetime = std::chrono::seconds(-60), .mechanisms = {mechanism}}));
    ASSERT_FALSE(session) << mechanism;
    EXPECT_EQ(session.error().retry, RetryClass::reauthenticate) << session.error().describe();
  }
}

TEST_F(Postfix, CertificatesWithAFaultAreRefused) {
  for (const TlsMode tls : {TlsMode::implicit, TlsMode::starttls}) {
    for (const auto& [host, why] : {std::pair("wrongname.lab.test", "not for this host"),
                                    std::pair("untrusted.lab.test", "no trusted authority"),
                                    std::pair("expired.lab.test", "expired")}) {
      auto session = open(settings(tls, host), sign_in());
      ASSERT_FALSE(session) << host;
      EXPECT_EQ(session.error().code, "certificate") << session.error().describe();
      EXPECT_NE(session.error().message.find(why), std::string::npos) << session.error().describe();
    }
    SessionSettings how = settings(tls);
    how.endpoint.policy.ca_file = lab().other_ca_file();
    auto unknown = open(how, sign_in());
    ASSERT_FALSE(unknown);
    EXPECT_EQ(unknown.error().code, "certificate") << unknown.error().describe();
  }
}

TEST_F(Postfix, NothingIsSignedInToWithoutTls) {
  auto session = open(settings(TlsMode::none), sign_in());
  ASSERT_FALSE(session);
  EXPECT_EQ(session.error().domain, ErrorDomain::auth);
}

TEST_F(Postfix, TellsRecipientsApart) {
  auto session = open(settings(TlsMode::implicit), sign_in());
  ASSERT_TRUE(session) << session.error().describe();
  auto delivery = send(**session, {"nobody@elsewhere.test", MailLab::address("carol")},
                       "Message-ID: <apart@lab.test>\r\nSubject: x\r\n\r\nhello\r\n");
  ASSERT_TRUE(delivery);
  ASSERT_EQ(delivery->state, Delivery::State::accepted) << delivery->error.describe();
  EXPECT_NE(delivery->recipients[0].state, RecipientResult::State::accepted);
  EXPECT_EQ(delivery->recipients[1].state, RecipientResult::State::accepted);
  EXPECT_FALSE(delivered("carol", "<apart@lab.test>").empty());
  delivery =
      send(**session, {MailLab::address("carol")}, "Message-ID: <after@lab.test>\r\n\r\nstill here\r\n");
  ASSERT_TRUE(delivery);
  EXPECT_EQ(delivery->state, Delivery::State::accepted) << delivery->error.describe();
}

TEST_F(Postfix, ARecordIsSentAsAMessageWithEverythingItHolds) {
  SenderSettings how;
  how.session = settings(TlsMode::implicit);
  how.address = MailLab::address("alice");
  Sender sender(environment(), how, sign_in(), mime_composer({.address = how.address, .name = "Alice"}), {});
  sync::WriteOrder order{.what = sync::WriteOrder::What::send, .operation_id = "op-real-1"};
  order.fields["subject"] = "Grüße aus Köln\r\nBcc: evil@lab.test";
  order.fields["toRecipients"] = boost::json::array{
      boost::json::object{{"name", "Bob \"B\" Müller"}, {"emailAddress", MailLab::address("bob")}}};
  order.fields["bccRecipients"] =
      boost::json::array{boost::json::object{{"emailAddress", MailLab::address("dave")}}};
  order.fields["body"] = boost::json::object{{"type", "html"}, {"value", "<p>Schöne Grüße</p>\n.\n.\n"}};
  syncline::testing::MemoryProgress notes;
  const sync::OpenContent none;
  auto applied = run(sender.send(order, notes, none));
  ASSERT_TRUE(applied) << applied.error().describe();
  EXPECT_EQ(applied->remark, "");
  EXPECT_EQ(applied->sent_message_id, "<op-real-1.syncline@lab.test>");
  const std::string got = delivered("bob", "<op-real-1.syncline@lab.test>");
  EXPECT_NE(got.find("X-Syncline-Operation: op-real-1"), std::string::npos) << got;
  EXPECT_EQ(got.find("\nBcc:"), std::string::npos);
  EXPECT_FALSE(delivered("dave", "<op-real-1.syncline@lab.test>").empty());
  EXPECT_TRUE(run(sender.close()));
}

TEST_F(Postfix, AHundredMessagesUseOneConnection) {
  auto session = open(settings(TlsMode::implicit), sign_in());
  ASSERT_TRUE(session) << session.error().describe();
  for (int i = 0; i < 100; ++i) {
    auto delivery =
        send(**session, {"sink@discard.test"}, "Subject: " + std::to_string(i) + "\r\n\r\nhello\r\n");
    ASSERT_TRUE(delivery);
    ASSERT_EQ(delivery->state, Delivery::State::accepted) << i << delivery->error.describe();
  }
}

}  // namespace
}  // namespace syncline::smtp
