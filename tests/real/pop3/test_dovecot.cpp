// SPDX-License-Identifier: GPL-3.0-or-later
// Our POP3 client and driver against Dovecot.
#include <gtest/gtest.h>

#include <set>

#include "routing/pop3/driver/mime_reader.hpp"
#include "routing/pop3/driver/pop3_driver.hpp"
#include "tests/support/mail_client_lab.hpp"
#include "tests/support/memory_progress.hpp"

namespace syncline::pop3 {
namespace {

using mail::TlsMode;
using syncline::testing::MailLab;

std::string with_crlf(const std::string& text) {
  std::string made;
  for (const char c : text) {
    if (c == '\n' && (made.empty() || made.back() != '\r')) made += '\r';
    made += c;
  }
  return made;
}

class TextSink final : public sync::ContentSink {
 public:
  Result<void> write(std::span<const std::byte> octets) override {
    text.append(reinterpret_cast<const char*>(octets.data()), octets.size());
    return {};
  }
  std::string text;
};

class Dovecot : public syncline::testing::MailClientLab {
 protected:
  static void SetUpTestSuite() { start_lab({.smtp = false}); }

  SessionSettings settings(TlsMode tls, std::string host = "localhost") {
    const std::uint16_t port = tls == TlsMode::implicit ? lab().ports().pop3s : lab().ports().pop3;
    SessionSettings made;
    made.endpoint = endpoint(port, tls, std::move(host));
    return made;
  }
  Login login(std::string_view user = "alice", Credentials with = {}) {
    Login made;
    made.user = MailLab::address(user);
    made.sasl = [this, with](const auth::SaslOffer& offer, const std::string& name) {
      return choose(offer, name, with);
    };
    return made;
  }
  Result<std::unique_ptr<Session>> open(const SessionSettings& how, const Login& who) {
    return run(Session::open(environment(), how, who));
  }
  std::unique_ptr<Pop3Driver> driver(std::string_view user) {
    DriverSettings made;
    made.mailbox.session = settings(TlsMode::implicit);
    made.mailbox.login = login(user);
    return std::make_unique<Pop3Driver>(environment(), made, mime_message_reader());
  }
};

TEST_F(Dovecot, SignsInByEveryMechanismBothSidesKnowAndByPassword) {
  for (const TlsMode tls : {TlsMode::implicit, TlsMode::starttls}) {
    for (const char* mechanism : {"PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256"}) {
      auto session = open(settings(tls), login("alice", {.mechanisms = {mechanism}}));
      EXPECT_TRUE(session) << mechanism << ": " << session.error().describe();
    }
    for (const char* mechanism : {"XOAUTH2", "OAUTHBEARER"}) {
      auto session = open(settings(tls), login("alice", {.password = "", .mechanisms = {mechanism}}));
      EXPECT_TRUE(session) << mechanism << ": " << session.error().describe();
    }
    Login plain;
    plain.user = MailLab::address("alice");
    plain.password = Secret(MailLab::password());
    auto session = open(settings(tls), plain);
    EXPECT_TRUE(session) << session.error().describe();
  }
}

TEST_F(Dovecot, AWrongPasswordAndAnExpiredTokenAreRefusedAndNeverShown) {
  for (const char* mechanism : {"PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256"}) {
    auto session = open(settings(TlsMode::starttls),
                        login("alice", {.password = "wrong-horse", .mechanisms = {mechanism}}));
    ASSERT_FALSE(session) << mechanism;
    EXPECT_EQ(session.error().retry, RetryClass::reauthenticate) << mechanism << session.error().describe();
    EXPECT_EQ(session.error().describe().find("wrong-horse"), std::string::npos);
  }
  for (const char* mechanism : {"XOAUTH2", "OAUTHBEARER"}) {
    auto session = open(
        settings(TlsMode::implicit),
        login("alice", {.password = "", .lifetime = std::chrono::seconds(-60), .mechanisms = {mechanism}}));
    ASSERT_FALSE(session) << mechanism;
    EXPECT_EQ(session.error().retry, RetryClass::reauthenticate) << session.error().describe();
  }
}

TEST_F(Dovecot, CertificatesWithAFaultAreRefused) {
  for (const TlsMode tls : {TlsMode::implicit, TlsMode::starttls}) {
    for (const auto& [host, why] : {std::pair("wrongname.lab.test", "not for this host"),
                                    std::pair("untrusted.lab.test", "no trusted authority"),
                                    std::pair("expired.lab.test", "expired")}) {
      auto session = open(settings(tls, host), login());
      ASSERT_FALSE(session) << host;
      EXPECT_EQ(session.error().code, "certificate") << session.error().describe();
      EXPECT_NE(session.error().message.find(why), std::string::npos) << session.error().describe();
    }
    SessionSettings how = settings(tls);
    how.endpoint.policy.ca_file = lab().other_ca_file();
    auto unknown = open(how, login());
    ASSERT_FALSE(unknown);
    EXPECT_EQ(unknown.error().code, "certificate") << unknown.error().describe();
  }
}

TEST_F(Dovecot, AMailboxIsReadOctetForOctetAndOnceOnly) {
  ASSERT_TRUE(lab().generate("bob", 150, 7, 30));
  std::multiset<std::string> stored;
  for (const auto& file : lab().files_of("bob")) {
    const std::string name = file.parent_path().filename().string();
    if (name == "cur" || name == "new") stored.insert(with_crlf(content_of(file)));
  }
  ASSERT_EQ(stored.size(), 150u);
  auto mailbox = driver("bob");
  const sync::RemoteFolder folder{.id = "INBOX"};
  std::string cursor;
  std::multiset<std::string> got;
  for (bool last = false; !last;) {
    auto page = run(mailbox->pull(folder, cursor, 64));
    ASSERT_TRUE(page) << page.error().describe();
    std::vector<std::string> ids;
    for (const sync::FeedEntry& entry : page->entries) ids.push_back(entry.item.id);
    auto items = run(mailbox->read(model::RecordKind::email, ids, true));
    ASSERT_TRUE(items) << items.error().describe();
    for (const auto& item : *items) {
      ASSERT_TRUE(item) << item.error().describe();
      EXPECT_TRUE(item->fields.contains("subject") && item->fields.contains("body"));
      TextSink sink;
      auto mime = run(mailbox->fetch_mime(item->ref.id, sink, 1 << 20));
      ASSERT_TRUE(mime && *mime);
      got.insert(std::move(sink.text));
    }
    cursor = page->cursor;
    last = page->last;
  }
  EXPECT_TRUE(got == stored) << got.size() << " messages";
  ASSERT_TRUE(run(mailbox->close()));
  ASSERT_TRUE(lab().deliver("bob", "Subject: later\n\nhello\n"));
  mailbox = driver("bob");
  auto page = run(mailbox->pull(folder, cursor));
  ASSERT_TRUE(page);
  ASSERT_EQ(page->entries.size(), 1u);
  auto items =
      run(mailbox->read(model::RecordKind::email, std::vector<std::string>{page->entries[0].item.id}, true));
  ASSERT_TRUE(items && items->front());
  EXPECT_EQ(model::text_of(items->front()->fields, "subject"), "later");
}

TEST_F(Dovecot, ADeletionIsCommittedAndTakesNothingElse) {
  for (const char* subject : {"one", "two", "three"})
    ASSERT_TRUE(lab().deliver("carol", "Subject: " + std::string(subject) + "\n\nhello\n"));
  auto mailbox = driver("carol");
  const sync::RemoteFolder folder{.id = "INBOX"};
  auto page = run(mailbox->pull(folder, ""));
  ASSERT_TRUE(page) << page.error().describe();
  ASSERT_EQ(page->entries.size(), 3u);
  std::vector<std::string> ids;
  for (const sync::FeedEntry& entry : page->entries) ids.push_back(entry.item.id);
  auto items = run(mailbox->read(model::RecordKind::email, ids, true));
  ASSERT_TRUE(items);
  std::string wanted;
  for (const auto& item : *items)
    if (item && model::text_of(item->fields, "subject") == "two") wanted = item->ref.id;
  const sync::WriteOrder order{.what = sync::WriteOrder::What::remove,
                               .item = {.id = wanted, .version = "1"}};
  syncline::testing::MemoryProgress progress;
  const sync::OpenContent none;
  auto removed = run(mailbox->apply(order, progress, none));
  ASSERT_TRUE(removed) << removed.error().describe();
  auto again = run(mailbox->pull(folder, page->cursor));
  ASSERT_TRUE(again);
  ASSERT_EQ(again->entries.size(), 1u);
  EXPECT_EQ(again->entries[0].what, sync::FeedEntry::What::deleted);
  EXPECT_EQ(again->entries[0].item.id, wanted);
}

}  // namespace
}  // namespace syncline::pop3
