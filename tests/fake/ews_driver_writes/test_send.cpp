// SPDX-License-Identifier: GPL-3.0-or-later
// Send: exactly once, whoever interferes (invariant 6).
#include "write_bench.hpp"

namespace syncline::ews::testing {
namespace {

using model::RecordKind;

constexpr std::string_view letter = R"({"subject":"Hello","body":{"type":"html","value":"<p>Hi</p>"},
  "toRecipients":[{"name":"Bert","emailAddress":"bert@example.com"}],
  "ccRecipients":[{"emailAddress":"out@example.org"}],
  "inReplyTo":"<a@example.org>","references":"<b@example.org> <a@example.org>",
  "internetMessageId":"<ours@example.com>","importance":"High","replyTo":[{"emailAddress":"r@example.com"}]})";

class Send : public ::testing::Test {
 protected:
  void TearDown() override { EXPECT_THAT(bench.exchange.schema_violations(), ::testing::IsEmpty()); }
  WriteBench bench;

  void refuse(const std::string& operation, const std::string& code) {
    exchange_sim::FaultRule rule;
    rule.action = exchange_sim::Action::response_code;
    rule.code = code;
    bench.exchange.fault(operation, rule);
  }
};

TEST_F(Send, AMessageGoesOnceAndACopyStays) {
  const auto applied = bench.apply(bench.send(letter));
  ASSERT_TRUE(applied) << applied.error().describe();
  EXPECT_EQ(bench.mails(), (std::map<std::string, int>{{"message to bert@example.com", 1},
                                                       {"message to out@example.org", 1}}));
  EXPECT_EQ(bench.count("drafts"), 0U);
  ASSERT_EQ(bench.count("sentitems"), 1U);
  EXPECT_EQ(applied->item.id, bench.service().list(anna, "sentitems").value().front().id);
  EXPECT_EQ(applied->sent_message_id, "<ours@example.com>");
  const auto received = bench.service().list(bert, "inbox").value();
  ASSERT_EQ(received.size(), 1U);
  const auto property = [&](const char* name) {
    return bench.service().property(bert, received.front().id, name).value();
  };
  EXPECT_EQ(property("item:Subject"), "Hello");
  EXPECT_EQ(property("item:InReplyTo"), "<a@example.org>");
  EXPECT_EQ(property("message:References"), "<b@example.org> <a@example.org>");
}

TEST_F(Send, AttachmentsGoWithTheMessage) {
  bench.add_content(std::string(64, 'd'), std::string(300'000, 'b'));
  bench.add_content(std::string(64, 'e'), "picture");
  const auto applied = bench.apply(bench.send(R"({"subject":"x",
    "toRecipients":[{"emailAddress":"bert@example.com"}],
    "attachments":[{"name":"../big.bin","size":300000,"sha256":"dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd","contentType":"application/x-y"},
                   {"name":"pic.png","size":7,"sha256":"eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee","isInline":true,"contentId":"pic@x"}]})"));
  ASSERT_TRUE(applied) << applied.error().describe();
  const auto received = bench.exchange.items(bert, "inbox").at(0);
  EXPECT_EQ(received.attachments.at("../big.bin").size(), 300'000U);
  EXPECT_EQ(received.attachments.at("pic.png"), "picture");
}

TEST_F(Send, ServersRefusalsKeepTheirCodes) {
  for (const char* code : {"ErrorSubmissionQuotaExceeded", "ErrorSendAsDenied", "ErrorMessageSizeExceeded"}) {
    refuse("SendItem", code);
    MemoryProgress progress(bench.world.environment().clock);
    const auto applied = bench.apply_once(bench.send(letter), progress);
    ASSERT_FALSE(applied);
    EXPECT_EQ(applied.error().code, code);
  }
  bench.exchange.heal();
  refuse("CreateItem", "ErrorQuotaExceeded");
  const auto applied = bench.apply(bench.send(letter));
  ASSERT_FALSE(applied);
  EXPECT_EQ(applied.error().code, "ErrorQuotaExceeded");
  EXPECT_TRUE(bench.mails().empty());
}

TEST_F(Send, AMessageForSomebodyElseNeedsTheRight) {
  auto order = bench.send(letter);
  order.send_as = "bert@example.com";
  const auto applied = bench.apply(order);
  ASSERT_FALSE(applied);
  EXPECT_EQ(applied.error().code, "ErrorSendAsDenied");
}

TEST_F(Send, ALostAnswerIsSettledByTheDraftThatIsGone) {
  bench.exchange.lose_reply("SendItem");
  const auto applied = bench.apply(bench.send(letter));
  ASSERT_TRUE(applied) << applied.error().describe();
  EXPECT_EQ(bench.exchange.requests("SendItem"), 1U);
  EXPECT_EQ(bench.mails().at("message to bert@example.com"), 1);
  EXPECT_EQ(applied->sent_message_id, "<ours@example.com>");
}

TEST_F(Send, ALostRequestIsSettledByTheDraftThatIsThere) {
  bench.exchange.lose_request("SendItem");
  ASSERT_TRUE(bench.apply(bench.send(letter)));
  EXPECT_EQ(bench.exchange.requests("SendItem"), 2U);
  EXPECT_EQ(bench.mails().at("message to bert@example.com"), 1);
}

TEST_F(Send, ADraftThatWasThrownAwayIsAPersonsToDecide) {
  const auto order = bench.send(letter);
  MemoryProgress progress(bench.world.environment().clock);
  bench.exchange.lose_request("SendItem");
  ASSERT_FALSE(bench.apply_once(order, progress));
  const std::string draft = bench.service().list(anna, "drafts").value().front().id;
  ASSERT_TRUE(bench.service().delete_item(anna, draft));
  const auto applied = bench.apply(order, progress);
  ASSERT_FALSE(applied);
  EXPECT_EQ(applied.error().code, "needs-person");
  EXPECT_EQ(applied.error().retry, RetryClass::never);
  EXPECT_TRUE(bench.mails().empty());
}

TEST_F(Send, AKeyThatMovedAloneIsRenewed) {
  bench.before("SendItem", [&] {
    const std::string draft = bench.service().list(anna, "drafts").value().front().id;
    EXPECT_TRUE(bench.service().edit_item(anna, draft, "item:Categories", "<t:String>agent</t:String>"));
  });
  const auto applied = bench.apply(bench.send(letter));
  ASSERT_TRUE(applied) << applied.error().describe();
  EXPECT_EQ(bench.mails().at("message to bert@example.com"), 1);
}

TEST_F(Send, ADraftThatSomebodyEditedIsNotSent) {
  bench.before("SendItem", [&] {
    const std::string draft = bench.service().list(anna, "drafts").value().front().id;
    EXPECT_TRUE(bench.service().edit_item(anna, draft, "item:Subject", "Theirs"));
  });
  const auto applied = bench.apply(bench.send(letter));
  ASSERT_FALSE(applied);
  EXPECT_EQ(applied.error().code, "needs-person");
  EXPECT_TRUE(bench.mails().empty());
}

}  // namespace
}  // namespace syncline::ews::testing
