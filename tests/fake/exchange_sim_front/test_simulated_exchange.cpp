// SPDX-License-Identifier: GPL-3.0-or-later
// The test Exchange as tests of the layers above use it.
#include "tools/exchange-sim/testing/simulated_exchange.hpp"

#include <gmock/gmock.h>

#include "harness.hpp"

namespace exchange_sim::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::Key;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

constexpr const char* kAnna = "anna@example.com";

class SimulatedExchangeTest : public ::testing::Test {
 protected:
  HttpAnswer create() {
    return Wire(world, "mail.example.com", true)
        .ask("POST", "/EWS/Exchange.asmx",
             {{"Authorization", basic(kAnna, std::string(exchange.password))}, {"Content-Type", "text/xml"}},
             soap("<m:CreateItem><m:Items><t:Contact><t:GivenName>Dan</t:GivenName></t:Contact></m:Items>"
                  "</m:CreateItem>"));
  }
  std::size_t contacts() { return exchange.items(kAnna, "contacts").size(); }

  net::testing::VirtualWorld world;
  SimulatedExchange exchange{world, {.schema_folder = std::string(SYNCLINE_SOURCE_DIR) + "/wsdl"}};
};

TEST_F(SimulatedExchangeTest, requests_are_counted_whatever_became_of_them) {
  EXPECT_EQ(create().status, 200);
  exchange.lose_request("CreateItem");
  EXPECT_TRUE(create().ended_early);
  EXPECT_EQ(contacts(), 1u);
  exchange.lose_reply("CreateItem");
  EXPECT_TRUE(create().ended_early);
  EXPECT_EQ(contacts(), 2u);
  EXPECT_EQ(create().status, 200) << "once, if nothing else was said";
  EXPECT_EQ(exchange.requests("CreateItem"), 4u);
  EXPECT_EQ(exchange.handled("CreateItem"), 3u);
  EXPECT_THAT(exchange.requests(), ElementsAre(Pair("CreateItem", 4)));
  EXPECT_THAT(exchange.schema_violations(), ::testing::IsEmpty());
  exchange.forget_requests();
  EXPECT_EQ(exchange.requests("CreateItem"), 0u);
}

TEST_F(SimulatedExchangeTest, a_reply_is_cut_at_every_octet_until_it_comes_whole) {
  const auto whole = create().octets;
  std::uint64_t octets = 0;
  for (;; ++octets) {
    exchange.cut_reply("CreateItem", octets);
    const auto answer = create();
    if (!exchange.was_cut("CreateItem")) {
      EXPECT_EQ(answer.status, 200);
      break;
    }
    ASSERT_EQ(answer.octets, octets);
    ASSERT_LT(octets, 10 * whole);
  }
  EXPECT_EQ(octets, whole + 1);
  EXPECT_EQ(contacts(), whole + 3);
}

TEST_F(SimulatedExchangeTest, a_later_fault_replaces_the_earlier_and_healing_takes_all_away) {
  exchange.lose_request("CreateItem", 100);
  exchange.lose_reply("CreateItem", 100);
  create();
  EXPECT_EQ(contacts(), 1u);
  exchange.lose_request("*", 100);
  exchange.heal();
  EXPECT_EQ(create().status, 200);
}

TEST_F(SimulatedExchangeTest, items_are_seen_with_all_they_have) {
  auto& service = exchange.service();
  const auto id =
      service
          .add_item(kAnna, "contacts",
                    "<t:Contact><t:Categories><t:String>a</t:String><t:String>b</t:String></t:Categories>"
                    "<t:GivenName>Dan</t:GivenName><t:EmailAddresses><t:Entry "
                    "Key=\"EmailAddress1\">d@example.com</t:Entry></t:EmailAddresses></t:Contact>")
          .value();
  ASSERT_TRUE(service.edit_extended(kAnna, id, "PublicStrings", "mark", "1"));
  const auto before = exchange.items(kAnna, "contacts");
  ASSERT_EQ(before.size(), 1u);
  EXPECT_EQ(before[0].id, id);
  EXPECT_EQ(before[0].element, "Contact");
  const auto& properties = before[0].properties;
  EXPECT_EQ(properties.at("GivenName"), "Dan");
  EXPECT_EQ(properties.at("Categories/String"), "a");
  EXPECT_EQ(properties.at("Categories/String[1]"), "b");
  EXPECT_EQ(properties.at("EmailAddresses/Entry[EmailAddress1]"), "d@example.com");
  EXPECT_EQ(properties.at("ExtendedProperty[PublicStrings/mark]"), "1");
  EXPECT_EQ(properties.at("ItemId@Id"), id);
  EXPECT_EQ(exchange.items(kAnna, "contacts"), before);
  ASSERT_TRUE(service.edit_item(kAnna, id, "contacts:GivenName", "Don"));
  EXPECT_NE(exchange.items(kAnna, "contacts"), before);
}

TEST_F(SimulatedExchangeTest, a_mailbox_is_seen_by_the_paths_of_its_folders) {
  auto& service = exchange.service();
  ASSERT_TRUE(service.add_folder(kAnna, "inbox", "Projects"));
  const std::string mime =
      "Subject: s\r\nContent-Type: multipart/mixed; "
      "boundary=b\r\n\r\n--b\r\n\r\nbody\r\n--b\r\nContent-Type: "
      "text/x; name=a.txt\r\nContent-Disposition: attachment; filename=a.txt\r\n\r\nthe file\r\n--b--\r\n";
  ASSERT_TRUE(service.add_mime(kAnna, "inbox/Projects", mime));
  ASSERT_TRUE(service.add_mime(kAnna, "drafts", mime));
  const auto state = exchange.mailbox(kAnna);
  EXPECT_THAT(state, UnorderedElementsAre(Key("Inbox/Projects"), Key("Drafts")));
  const auto& mail = state.at("Inbox/Projects").at(0);
  EXPECT_EQ(mail.mime, mime);
  EXPECT_THAT(mail.attachments, ElementsAre(Pair("a.txt", "the file")));
  EXPECT_TRUE(exchange.mailbox("bert@example.com").empty());
}

}  // namespace
}  // namespace exchange_sim::testing
