// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// An organisation with mailboxes on Exchange, enabled, in a world of virtual time.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <sstream>

#include "base/log.hpp"
#include "net/testing/virtual_world.hpp"
#include "service/organisation/apply.hpp"
#include "service/organisation/apply_file.hpp"
#include "service/organisation/mailbox_administration.hpp"
#include "service/organisation/organisation.hpp"
#include "store/placements.hpp"

namespace syncline::service::testing {

inline constexpr int mailboxes = 24;

class PlacementFixture : public ::testing::Test {
 protected:
  void SetUp() override {
    log::set_level(log::Level::off);
    std::filesystem::create_directories(folder_);
    auto created =
        Organisation::create({.folder = (folder_ / "contoso").string(), .key = (folder_ / "key").string()},
                             "Contoso", world.environment().clock, world.environment().random);
    ASSERT_TRUE(created) << created.error().describe();
    organisation = std::move(created->organisation);
    configure("autodiscover = true\n");
    const std::string password("x");
    ASSERT_TRUE(organisation->secrets().put("profile/Basement/password", Secret(password)));
    for (const MailboxAct act : {MailboxAct::approve, MailboxAct::enable}) administer_all(act, all());
  }
  void TearDown() override {
    organisation.reset();
    std::filesystem::remove_all(folder_);
  }

  static std::string address(int number) { return "m" + std::to_string(number) + "@contoso.example"; }
  static std::vector<std::string> all() {
    std::vector<std::string> addresses;
    for (int i = 0; i < mailboxes; ++i) addresses.push_back(address(i));
    return addresses;
  }
  /// `more`: lines of the profile, and what follows it.
  void configure(const std::string& more) {
    std::string text =
        "[[profile]]\nname = \"Basement\"\ntype = \"exchange_hybrid\"\nuser_name = "
        "\"service@contoso.example\"\nin_host = \"https://mail.contoso.example/EWS/Exchange.asmx\"\n"
        "out_host = \"https://mail.contoso.example/EWS/Exchange.asmx\"\n" +
        more;
    for (const std::string& one : all())
      text += "[[mailbox]]\naddress = \"" + one + "\"\nprofile = \"Basement\"\nexchange_version = \"2019\"\n";
    std::istringstream input(text);
    auto wanted = read_apply_file(input);
    ASSERT_TRUE(wanted);
    auto outcome = apply(*organisation, *wanted, false, {"test"});
    ASSERT_TRUE(outcome && outcome->applied);
  }
  void administer_all(MailboxAct act, const std::vector<std::string>& addresses) {
    auto outcomes = administer(*organisation, act, addresses, {"test"});
    ASSERT_TRUE(outcomes);
    for (const auto& one : *outcomes) ASSERT_FALSE(one.obstacle) << one.obstacle->message;
  }
  store::MailboxId id_of(const std::string& one) { return organisation->load()->mailboxes.at(one).id; }
  store::Placement placement_of(const std::string& one) {
    auto found = organisation->store().read<std::optional<store::Placement>>(
        [id = id_of(one)](store::Transaction& transaction) {
          return store::find_placement(transaction, id);
        });
    EXPECT_TRUE(found);
    return found ? found->value_or(store::Placement{}) : store::Placement{};
  }
  void keep(const store::Placement& placement) {
    ASSERT_TRUE(organisation->store().write<void>(
        [&](store::Transaction& transaction) { return store::put_placement(transaction, placement); }));
  }

  net::testing::VirtualWorld world;
  std::unique_ptr<Organisation> organisation;

 private:
  std::filesystem::path folder_ =
      std::filesystem::path(::testing::TempDir()) / ("placement-" + system_random().uuid());
};

}  // namespace syncline::service::testing
