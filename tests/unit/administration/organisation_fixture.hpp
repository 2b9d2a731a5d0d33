// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// An organisation in a folder of its own, with a file of profiles and mailboxes on mail hosts, which the
// rules accept without a secret at stage assign.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <sstream>

#include "service/organisation/apply.hpp"
#include "service/organisation/apply_file.hpp"
#include "service/organisation/mailbox_administration.hpp"
#include "service/organisation/organisation.hpp"
#include "store/journal.hpp"

namespace syncline::service::testing {

class SetClock final : public Clock {
 public:
  SystemTime time = std::chrono::sys_days{std::chrono::year{2026} / 11 / 22};
  SystemTime now() const override { return time; }
  SteadyTime steady_now() const override { return SteadyTime(time.time_since_epoch()); }
};

/// `extra`: lines of every mailbox.
inline std::string mail_host_file(std::size_t mailboxes, const std::string& organisation = "",
                                  const std::string& extra = "") {
  std::string text =
      "[organisation]\nname = \"Contoso\"\n" + organisation +
      "\n[[profile]]\nname = \"Host\"\ntype = \"imap_smtp\"\nin_host = \"imap.contoso.example\"\n"
      "out_host = \"smtp.contoso.example\"\nin_port = 993\nout_port = 465\nin_tls = \"implicit\"\n"
      "out_tls = \"implicit\"\nowner = \"admin@contoso.example\"\nalert_mail = true\n";
  for (std::size_t i = 0; i < mailboxes; ++i)
    text += "[[mailbox]]\naddress = \"m" + std::to_string(i) + "@contoso.example\"\nprofile = \"Host\"\n" +
            "act = \"none\"\n" + extra;
  return text;
}

class OrganisationFixture : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(folder_);
    auto created =
        Organisation::create({.folder = (folder_ / "contoso").string(), .key = (folder_ / "key").string()},
                             "Contoso", clock, random_);
    ASSERT_TRUE(created) << created.error().describe();
    organisation = std::move(created->organisation);
  }
  void TearDown() override {
    organisation.reset();
    std::filesystem::remove_all(folder_);
  }

  static Configuration read(const std::string& text) {
    std::istringstream input(text);
    auto read = read_apply_file(input);
    if (!read) {
      ADD_FAILURE() << read.error().front().describe("file");
      return {};
    }
    return *read;
  }
  ApplyOutcome applied(const std::string& text, bool dry_run = false) {
    auto outcome = apply(*organisation, read(text), dry_run, {"admin", "because"});
    if (!outcome) {
      ADD_FAILURE() << outcome.error().describe();
      return {};
    }
    return std::move(*outcome);
  }
  MailboxActOutcome act(MailboxAct which, const std::string& address, const Actor& actor = {"admin"},
                        const std::string& role = "") {
    auto outcomes = administer(*organisation, which, {address}, actor, role);
    if (!outcomes) {
      ADD_FAILURE() << outcomes.error().describe();
      return {};
    }
    return outcomes->front();
  }
  /// Approved, with a password, enabled.
  void let_in(const std::string& address) {
    ASSERT_TRUE(
        organisation->secrets().put("mailbox/" + address + "/password", Secret(std::string_view("x"))));
    ASSERT_FALSE(act(MailboxAct::approve, address).obstacle);
    const MailboxActOutcome outcome = act(MailboxAct::enable, address);
    ASSERT_FALSE(outcome.obstacle) << outcome.obstacle->message;
  }
  StoredOrganisation stored() {
    auto loaded = organisation->load();
    EXPECT_TRUE(loaded);
    return loaded ? std::move(*loaded) : StoredOrganisation{};
  }
  boost::json::object settings(const std::string& address) {
    const StoredOrganisation now = stored();
    const model::Mailbox* mailbox = now.configuration.mailbox_of(address);
    return mailbox == nullptr ? boost::json::object{} : to_object(mailbox_settings(), *mailbox);
  }
  template <class T>
  T looked(const std::function<Result<T>(store::Transaction&)>& look) {
    auto found = organisation->store().read<T>(look);
    EXPECT_TRUE(found);
    return found ? std::move(*found) : T{};
  }
  void written(const std::function<Result<void>(store::Transaction&)>& write) {
    auto done = organisation->store().write<void>(write);
    EXPECT_TRUE(done);
  }
  std::vector<store::Alert> alerts() {
    return looked<std::vector<store::Alert>>(
        [](store::Transaction& transaction) { return store::list_alerts(transaction, true); });
  }
  /// "who act object: reason" of every entry.
  std::vector<std::string> audit() {
    std::vector<std::string> lines;
    for (const store::AuditEntry& entry : looked<std::vector<store::AuditEntry>>(
             [](store::Transaction& transaction) { return store::list_audit(transaction, 0, 10000); }))
      lines.push_back(entry.who + " " + entry.act + " " + entry.object +
                      (entry.reason.empty() ? "" : ": " + entry.reason));
    return lines;
  }

  SetClock clock;
  std::unique_ptr<Organisation> organisation;

 private:
  std::filesystem::path folder_ =
      std::filesystem::path(::testing::TempDir()) / ("administration-" + system_random().uuid());
  SeededRandom random_{7};
};

}  // namespace syncline::service::testing
