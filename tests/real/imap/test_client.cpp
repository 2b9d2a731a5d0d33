// SPDX-License-Identifier: GPL-3.0-or-later
#include <cstring>
#include <set>

#include "auth/bearer.hpp"
#include "tests/real/imap/imap_lab.hpp"

namespace syncline::imap {
namespace {

using mail::TlsMode;
using testing::Bodies;
using testing::MailLab;

class ImapClient : public testing::ImapLab {
 protected:
  Result<Selected> select(Client& client, std::string folder = "INBOX",
                          std::optional<Resume> resume = std::nullopt) {
    return run(client.select(std::move(folder), std::move(resume)));
  }
  Result<Appended> append(Client& client, std::string folder, std::string message,
                          std::vector<std::string> flags = {},
                          std::optional<SystemTime> date = std::nullopt) {
    auto text = std::make_shared<std::string>(std::move(message));
    auto at = std::make_shared<std::size_t>(0);
    ReadOctets read = [text, at](std::span<std::byte> room) -> Result<std::size_t> {
      const std::size_t count = std::min(room.size(), text->size() - *at);
      std::memcpy(room.data(), text->data() + *at, count);
      *at += count;
      return count;
    };
    return run(client.append(std::move(folder), std::move(flags), date, text->size(), std::move(read)));
  }
  static std::string message(const std::string& subject, std::size_t octets = 20) {
    return "From: bob@lab.test\r\nTo: alice@lab.test\r\nSubject: " + subject + "\r\nMessage-ID: <" + subject +
           "@lab.test>\r\nDate: Mon, 5 Jan 2026 08:00:00 +0000\r\n\r\n" + std::string(octets, 'x') + "\r\n";
  }
};

TEST_F(ImapClient, SignsInOverImplicitTlsAndOverStarttls) {
  for (const TlsMode tls : {TlsMode::implicit, TlsMode::starttls}) {
    auto client = connect(endpoint(tls), settings());
    ASSERT_TRUE(client) << client.error().describe();
    EXPECT_TRUE((*client)->session().is_tls());
    EXPECT_TRUE((*client)->qresync_enabled());
    EXPECT_TRUE(run((*client)->noop()));
    EXPECT_TRUE(run((*client)->log_out()));
    EXPECT_FALSE((*client)->session().open());
  }
}

TEST_F(ImapClient, SignsInByEveryMechanismBothSidesKnow) {
  for (const std::string& mechanism : server().password_mechanisms()) {
    for (const TlsMode tls : {TlsMode::implicit, TlsMode::starttls}) {
      auto how = settings();
      how.sign_in.policy.allowed = {mechanism};
      auto client = connect(endpoint(tls), how);
      EXPECT_TRUE(client) << mechanism << ": " << client.error().describe();
    }
  }
  for (const std::string& mechanism : server().token_mechanisms()) {
    auto how = settings();
    how.sign_in.identity.password.reset();
    how.sign_in.identity.token =
        auth::fixed_token(Secret(server().token("alice", std::chrono::hours(1)).value())).value();
    how.sign_in.policy.allowed = {mechanism};
    auto client = connect(endpoint(), how);
    EXPECT_TRUE(client) << mechanism << ": " << client.error().describe();
  }
}

TEST_F(ImapClient, AWrongPasswordAndAnExpiredTokenAreRefusedAndNeverShown) {
  for (const std::string& mechanism : server().password_mechanisms()) {
    auto how = settings("alice", "wrong-horse");
    how.sign_in.policy.allowed = {mechanism};
    auto client = connect(endpoint(), how);
    ASSERT_FALSE(client) << mechanism;
    EXPECT_EQ(client.error().retry, RetryClass::reauthenticate) << mechanism << client.error().describe();
    EXPECT_EQ(client.error().describe().find("wrong-horse"), std::string::npos);
  }
  for (const std::string& mechanism : server().token_mechanisms()) {
    auto how = settings();
    how.sign_in.policy.allowed = {mechanism};
    how.sign_in.identity.password.reset();
    how.sign_in.identity.token =
        auth::fixed_token(Secret(server().token("alice", std::chrono::seconds(-30)).value())).value();
    auto client = connect(endpoint(), how);
    ASSERT_FALSE(client) << mechanism;
    EXPECT_EQ(client.error().retry, RetryClass::reauthenticate) << client.error().describe();
  }
}

TEST_F(ImapClient, CertificatesWithAFaultAreRefused) {
  for (const TlsMode tls : {TlsMode::implicit, TlsMode::starttls}) {
    for (const auto& faulty : server().faulty_certificates()) {
      auto where = endpoint(tls, faulty.host);
      where.port = tls == TlsMode::implicit ? faulty.ports.implicit : faulty.ports.starttls;
      auto client = connect(where, settings());
      ASSERT_FALSE(client) << faulty.why;
      EXPECT_EQ(client.error().code, "certificate") << client.error().describe();
      EXPECT_NE(client.error().message.find(faulty.why), std::string::npos) << client.error().describe();
    }
    auto where = endpoint(tls);
    where.policy.ca_file = server().other_ca_file();
    const auto unknown = connect(where, settings());
    ASSERT_FALSE(unknown);
    EXPECT_EQ(unknown.error().code, "certificate") << unknown.error().describe();
  }
}

TEST_F(ImapClient, APasswordDoesNotGoOverAClearConnection) {
  // SCRAM and CRAM-MD5 do not show it.
  auto client = connect(endpoint(TlsMode::none), settings());
  EXPECT_TRUE(client) << client.error().describe();
  auto how = settings();
  how.sign_in.policy.allowed = {"PLAIN", "LOGIN"};
  auto refused = connect(endpoint(TlsMode::none), how);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "no-mechanism") << refused.error().describe();
  how.sign_in.policy.clear_text_without_tls = true;
  EXPECT_EQ(connect(endpoint(TlsMode::none), how).has_value(), server().offers_plain_without_tls());
}

TEST_F(ImapClient, ListsFoldersWithTheirRolesAndNames) {
  auto client = connected("carol");
  ASSERT_TRUE(client);
  ASSERT_TRUE(run(client->create(encode_mailbox_name("Entwürfe & mehr"))));
  const std::string quoted = "with \"quotes\" \\ and";
  const auto created = run(client->create(quoted));
  ASSERT_EQ(created.has_value(), server().takes_every_name()) << quoted;
  ASSERT_TRUE(client->session().open()) << "a refusal, and no broken command";
  auto folders = run(client->list());
  ASSERT_TRUE(folders) << folders.error().describe();
  const auto find = [&](std::string_view path) -> const Folder* {
    for (const Folder& folder : *folders)
      if (folder.path == path) return &folder;
    return nullptr;
  };
  ASSERT_NE(find("INBOX"), nullptr);
  ASSERT_NE(find("Sent"), nullptr);
  EXPECT_TRUE(find("Sent")->has("\\sent"));
  EXPECT_TRUE(find("Trash")->has("\\trash"));
  EXPECT_NE(find("Entwürfe & mehr"), nullptr);
  EXPECT_EQ(find(quoted) != nullptr, server().takes_every_name());
  EXPECT_TRUE(select(*client, find("Entwürfe & mehr")->name));
  const auto missing = select(*client, "no such folder");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, "gone") << missing.error().describe();
}

TEST_F(ImapClient, AppendsAndFetchesOctetForOctet) {
  auto client = connected("carol");
  ASSERT_TRUE(client);
  ASSERT_TRUE(run(client->create("octets")));
  const SystemTime date(std::chrono::milliseconds(1'700'000'000'000));
  std::map<Uid, std::string> sent;
  std::uint32_t validity = 0;
  for (const std::size_t octets : {0U, 1U, 5000U, 300'000U, 5'000'000U}) {
    const std::string text = message("octets" + std::to_string(octets), octets);
    auto appended = append(*client, "octets", text, {"\\Seen", "$Forwarded"}, date);
    ASSERT_TRUE(appended) << appended.error().describe();
    ASSERT_NE(appended->uid, 0U);
    validity = appended->uid_validity;
    sent[appended->uid] = text;
  }
  auto selected = select(*client, "octets");
  ASSERT_TRUE(selected) << selected.error().describe();
  EXPECT_EQ(selected->uid_validity, validity);
  EXPECT_EQ(selected->exists, sent.size());
  EXPECT_GT(selected->highest_modseq, 0U);
  EXPECT_EQ(selected->uid_next, sent.rbegin()->first + 1);
  Bodies bodies;
  auto fetched =
      run(client->fetch(Client::batches_of(UidSet::range(1, 1000), 2, 1000),
                        "(UID FLAGS MODSEQ INTERNALDATE RFC822.SIZE BODYSTRUCTURE BODY.PEEK[])", bodies));
  ASSERT_TRUE(fetched) << fetched.error().describe();
  for (const auto& batch : *fetched) EXPECT_TRUE(batch);
  EXPECT_EQ(bodies.bodies, sent);
  for (const FetchReply& reply : bodies.replies) {
    EXPECT_EQ(reply.size, sent[reply.uid].size());
    EXPECT_EQ(reply.internal_date, date);
    EXPECT_TRUE(reply.structure && reply.structure->parts.size() == 1);
    EXPECT_GT(reply.modseq.value_or(0), 0U);
  }
}

TEST_F(ImapClient, GeneratedMailComesWholeInManyCommandsAtOnce) {
  const auto sent = server().generate("dave", 300, 5, 60);
  ASSERT_TRUE(sent) << sent.error().describe();
  ASSERT_GE(sent->size(), 100U);
  auto client = connected("dave");
  ASSERT_TRUE(client);
  auto selected = select(*client);
  ASSERT_TRUE(selected);
  ASSERT_EQ(selected->exists, sent->size());
  auto all = run(client->search("ALL"));
  ASSERT_TRUE(all) << all.error().describe();
  EXPECT_EQ(all->size(), sent->size());
  Bodies bodies;
  auto fetched = run(client->fetch(Client::batches_of(*all, 7, 16'000), "(UID BODY.PEEK[])", bodies));
  ASSERT_TRUE(fetched) << fetched.error().describe();
  std::multiset<std::string> got;
  for (auto& [uid, body] : bodies.bodies) got.insert(std::move(body));
  // Megabytes: not to be printed.
  EXPECT_TRUE(got == std::multiset<std::string>(sent->begin(), sent->end()));
}

TEST_F(ImapClient, ResumesWithWhatChangedAndWhatVanished) {
  auto client = connected("bob");
  auto other = connected("bob");
  ASSERT_TRUE(client && other);
  ASSERT_TRUE(run(client->create("resume")));
  for (int i = 0; i < 6; ++i) ASSERT_TRUE(append(*client, "resume", message("r" + std::to_string(i))));
  auto before = select(*client, "resume");
  ASSERT_TRUE(before);
  // Meanwhile: 2 is read, 3 and 4 go, one comes.
  ASSERT_TRUE(select(*other, "resume"));
  ASSERT_TRUE(run(other->store(UidSet::range(2, 2), "+FLAGS", {"\\Seen"})));
  ASSERT_TRUE(run(other->move(UidSet::range(3, 4), "Trash")));
  ASSERT_TRUE(append(*other, "resume", message("r6")));
  auto again = connected("bob");
  ASSERT_TRUE(again);
  const std::uint64_t octets_before = again->session().octets_received();
  auto after =
      select(*again, "resume",
             Resume{.uid_validity = before->uid_validity, .modseq = before->highest_modseq, .known = {}});
  ASSERT_TRUE(after) << after.error().describe();
  EXPECT_LT(again->session().octets_received() - octets_before, 2048U);
  EXPECT_EQ(after->vanished.to_string(), "3:4");
  EXPECT_EQ(after->exists, 5U);
  std::map<Uid, bool> seen;
  for (const FlagState& one : after->changed)
    seen[one.uid] = std::find(one.flags.begin(), one.flags.end(), "\\Seen") != one.flags.end();
  EXPECT_EQ(seen, (std::map<Uid, bool>{{2, true}, {7, false}}));
  EXPECT_GT(after->highest_modseq, before->highest_modseq);
}

TEST_F(ImapClient, MovesCopiesStoresAndExpunges) {
  auto client = connected("bob");
  ASSERT_TRUE(client);
  ASSERT_TRUE(run(client->create("changes")));
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(append(*client, "changes", message("c" + std::to_string(i))));
  auto selected = select(*client, "changes");
  ASSERT_TRUE(selected);
  auto moved = run(client->move(UidSet::range(1, 1), "Trash"));
  ASSERT_TRUE(moved) << moved.error().describe();
  EXPECT_EQ(moved->from.to_string(), "1");
  EXPECT_EQ(moved->to.size(), 1U);
  EXPECT_EQ(client->selected()->exists, 2U);
  EXPECT_EQ(client->take_vanished().to_string(), "1");
  auto nowhere = run(client->copy(UidSet::range(2, 2), "no such folder"));
  ASSERT_FALSE(nowhere);
  EXPECT_TRUE(client->session().open()) << "a refusal ends nothing";
  auto copied = run(client->copy(UidSet::range(2, 3), "Trash"));
  ASSERT_TRUE(copied);
  EXPECT_EQ(copied->from.to_string(), "2:3");
  ASSERT_TRUE(run(client->store(UidSet::range(2, 3), "+FLAGS", {"\\Deleted"})));
  ASSERT_TRUE(run(client->expunge(UidSet::range(3, 3))));
  EXPECT_EQ(client->take_vanished().to_string(), "3") << "and not 2, which others marked";
  EXPECT_EQ(client->selected()->exists, 1U);
}

TEST_F(ImapClient, AChangeOfSomebodyElseIsNotOverwritten) {
  auto client = connected("bob");
  auto other = connected("bob");
  ASSERT_TRUE(client && other);
  ASSERT_TRUE(run(client->create("race")));
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(append(*client, "race", message("x" + std::to_string(i))));
  auto selected = select(*client, "race");
  ASSERT_TRUE(selected);
  ASSERT_TRUE(select(*other, "race"));
  ASSERT_TRUE(run(other->store(UidSet::range(1, 1), "+FLAGS", {"\\Flagged"})));
  auto refused = run(client->store(UidSet::range(1, 2), "+FLAGS", {"\\Seen"}, selected->highest_modseq));
  ASSERT_TRUE(refused) << refused.error().describe();
  EXPECT_EQ(refused->to_string(), "1");
  EXPECT_EQ(run(client->store(UidSet::range(1, 1), "+FLAGS", {"a b"})).error().code, "bad-text");
}

TEST_F(ImapClient, IdleSeesNewMailAndEndsWhenAsked) {
  auto client = connected("carol");
  auto other = connected("carol");
  ASSERT_TRUE(client && other);
  ASSERT_TRUE(select(*client));
  const auto soon = [&] { return system_->get().clock.steady_now() + std::chrono::hours(1); };
  std::optional<Result<bool>> outcome;
  const auto wait = [&]() -> net::asio::awaitable<void> { outcome.emplace(co_await client->idle(soon())); };
  net::asio::co_spawn(context_, wait(), net::asio::detached);
  ASSERT_TRUE(append(*other, "INBOX", message("news")));
  context_.restart();
  while (!outcome) context_.run_one();
  ASSERT_TRUE(*outcome) << outcome->error().describe();
  EXPECT_TRUE(**outcome);
  EXPECT_TRUE(run(client->noop())) << "the connection goes on";

  outcome.reset();
  net::asio::co_spawn(context_, wait(), net::asio::detached);
  ASSERT_TRUE(run(other->noop()));
  client->end_idle();
  context_.restart();
  while (!outcome) context_.run_one();
  ASSERT_TRUE(*outcome) << outcome->error().describe();
  EXPECT_FALSE(**outcome);
  EXPECT_TRUE(run(client->noop()));
}

TEST_F(ImapClient, CompressesWhereItIsWanted) {
  auto how = settings("dave");
  how.client.compress = true;
  auto client = connect(endpoint(), how);
  ASSERT_TRUE(client) << client.error().describe();
  const std::string text = message("zip", 500'000);
  ASSERT_TRUE(run((*client)->create("zip")));
  auto appended = append(**client, "zip", text);
  ASSERT_TRUE(appended) << appended.error().describe();
  ASSERT_TRUE(select(**client, "zip"));
  Bodies bodies;
  ASSERT_TRUE(
      run((*client)->fetch(Client::batches_of(UidSet::range(1, 9), 100, 0), "(UID BODY.PEEK[])", bodies)));
  EXPECT_EQ(bodies.bodies[appended->uid], text);
}

TEST_F(ImapClient, AConnectionThatIsEndedByTheServerSaysSo) {
  auto client = connected("dave");
  ASSERT_TRUE(client);
  ASSERT_TRUE(server().kick("dave"));
  const auto lost = run(client->noop());
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().retry, RetryClass::after) << lost.error().describe();
  EXPECT_FALSE(client->session().open());
}

}  // namespace
}  // namespace syncline::imap
