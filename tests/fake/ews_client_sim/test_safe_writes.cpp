// SPDX-License-Identifier: GPL-3.0-or-later
// R-16, invariant 6: wherever the connection is cut, there is exactly one item, and a mail goes out exactly
// once.
#include "ews/client/operation_mark.hpp"
#include "ews/client/safe_writes.hpp"
#include "exchange_fixture.hpp"

namespace syncline::ews {
namespace {

using namespace std::chrono_literals;
using exchange_sim::Action;
using exchange_sim::FaultRule;
using testing::anna;
using testing::bert;

class SafeWrites : public testing::ExchangeFixture {
 protected:
  Item contact(const std::string& name) {
    Item item{.kind = ItemKind::contact};
    item.contact.get_or_make().surname = name;
    return item;
  }
  Item letter(const std::string& subject) {
    Item item{.kind = ItemKind::message, .subject = subject};
    item.message.get_or_make().to_recipients.push_back({.address = bert});
    return item;
  }
  std::size_t count(const std::string& folder) { return service_.list(anna, folder).value().size(); }

  // The length of the reply to the last request of this operation.
  std::uint64_t reply_length(const std::string& operation) {
    return sim_->log().with_operation(operation).back().response_octets;
  }
  void fault(Action action, const std::string& operation, std::uint64_t offset = 0, std::uint64_t times = 1) {
    FaultRule rule;
    rule.operation = operation;
    rule.action = action;
    rule.offset = offset;
    rule.times = times;
    sim_->faults().clear();
    sim_->faults().add(std::move(rule));
  }
};

TEST_F(SafeWrites, CreateCutAtEveryOctetOfTheReplyMakesExactlyOneItem) {
  ASSERT_TRUE(
      run(create_once(client_, DistinguishedFolderId{.name = "contacts"}, contact("whole"), "op-whole")));
  const std::uint64_t length = reply_length("CreateItem");
  ASSERT_GT(length, 100u);
  for (std::uint64_t offset = 0; offset <= length; ++offset) {
    fault(Action::cut, "CreateItem", offset);
    const std::size_t before = count("contacts");
    const auto created =
        run(create_once(client_, DistinguishedFolderId{.name = "contacts"},
                        contact("c" + std::to_string(offset)), "op-" + std::to_string(offset)));
    ASSERT_TRUE(created) << offset << ": " << created.error().describe();
    ASSERT_EQ(count("contacts"), before + 1) << "cut after " << offset << " of " << length;
    ASSERT_TRUE(created->copies.empty());
  }
}

TEST_F(SafeWrites, LostRequestIsSentAgainAndLostReplyIsNot) {
  fault(Action::abort_before, "CreateItem");
  ASSERT_TRUE(run(
      create_once(client_, DistinguishedFolderId{.name = "tasks"}, Item{.kind = ItemKind::task}, "op-1")));
  EXPECT_EQ(count("tasks"), 1u);
  EXPECT_EQ(sim_->log().count_of("CreateItem"), 2u);
  fault(Action::abort_after, "CreateItem");
  ASSERT_TRUE(run(
      create_once(client_, DistinguishedFolderId{.name = "tasks"}, Item{.kind = ItemKind::task}, "op-2")));
  EXPECT_EQ(count("tasks"), 2u);
  EXPECT_EQ(sim_->log().count_of("CreateItem"), 3u);
}

TEST_F(SafeWrites, SettlingWaitsForTheServersOwnTimeLimit) {
  fault(Action::abort_before, "CreateItem");
  const auto started = world_.elapsed();
  ASSERT_TRUE(run(
      create_once(client_, DistinguishedFolderId{.name = "tasks"}, Item{.kind = ItemKind::task}, "op-1")));
  EXPECT_GE(world_.elapsed() - started, 60s);
}

TEST_F(SafeWrites, ServerThatNeverAnswersLeavesItUncertainAndBoundedInRequests) {
  fault(Action::abort_before, "CreateItem", 0, 1000);
  const auto created =
      run(create_once(client_, DistinguishedFolderId{.name = "tasks"}, Item{.kind = ItemKind::task}, "op-1"));
  ASSERT_FALSE(created);
  EXPECT_EQ(created.error().code, "uncertain");
  EXPECT_EQ(created.error().retry, RetryClass::never);
  EXPECT_EQ(count("tasks"), 0u);
}

TEST_F(SafeWrites, ARefusalIsNotRepeated) {
  FaultRule rule;
  rule.operation = "CreateItem";
  rule.action = Action::response_code;
  rule.code = "ErrorQuotaExceeded";
  sim_->faults().add(rule);
  const auto created =
      run(create_once(client_, DistinguishedFolderId{.name = "tasks"}, Item{.kind = ItemKind::task}, "op-1"));
  ASSERT_FALSE(created);
  EXPECT_EQ(created.error().code, "ErrorQuotaExceeded");
  EXPECT_EQ(sim_->log().count_of("CreateItem"), 1u);
}

TEST_F(SafeWrites, EvidenceIsFoundInTheFeedBeforeTheSearchKnowsIt) {
  auto feed = run(client_.call(SyncFolderItemsRequest{.folder = DistinguishedFolderId{.name = "contacts"}}));
  const std::string state = feed->messages.front().value.sync_state;
  fault(Action::abort_after, "CreateItem");
  FaultRule blind;
  blind.operation = "FindItem";
  blind.action = Action::empty_listing;
  sim_->faults().add(blind);
  ASSERT_TRUE(
      run(create_once(client_, DistinguishedFolderId{.name = "contacts"}, contact("x"), "op-1", state)));
  EXPECT_EQ(count("contacts"), 1u);
}

TEST_F(SafeWrites, SendCutAtEveryOctetOfTheReplyMailsExactlyOnce) {
  const auto send = [&](const std::string& name) -> net::Async<SendOutcome> {
    const FolderRef drafts = DistinguishedFolderId{.name = "drafts"};
    const std::string operation_id = "op-" + name;
    Item item = letter(name);
    auto draft = co_await create_once(client_, drafts, std::move(item), operation_id);
    if (!draft) co_return fail(draft.error());
    const ItemShape shape;
    const std::function<bool(const Item&)> unchanged = [](const Item&) { return false; };
    auto sent = co_await send_once(client_, draft->id, operation_id, shape, unchanged);
    co_return sent;
  };
  ASSERT_EQ(run(send("whole")).value(), SendOutcome::sent);
  const std::uint64_t length = reply_length("SendItem");
  for (std::uint64_t offset = 0; offset <= length; ++offset) {
    fault(Action::cut, "SendItem", offset);
    const std::size_t before = service_.sent_mail(anna).size();
    const auto sent = run(send("m" + std::to_string(offset)));
    ASSERT_TRUE(sent) << offset << ": " << sent.error().describe();
    ASSERT_EQ(*sent, SendOutcome::sent);
    ASSERT_EQ(service_.sent_mail(anna).size(), before + 1) << "cut after " << offset << " of " << length;
  }
  EXPECT_EQ(count("drafts"), 0u);
}

TEST_F(SafeWrites, ADraftThrownAwayIsReportedAndNotTakenForSent) {
  auto draft = run(create_once(client_, DistinguishedFolderId{.name = "drafts"}, letter("away"), "op-1"));
  ASSERT_TRUE(draft);
  ASSERT_TRUE(service_.delete_item(anna, draft->id.id));
  auto sent = run(send_once(client_, draft->id, "op-1", {}, [](const Item&) { return true; }));
  ASSERT_TRUE(sent) << sent.error().describe();
  EXPECT_EQ(*sent, SendOutcome::removed);
  EXPECT_TRUE(service_.sent_mail(anna).empty());
}

TEST_F(SafeWrites, ADraftThatSomebodyChangedIsNotSent) {
  auto draft = run(create_once(client_, DistinguishedFolderId{.name = "drafts"}, letter("ours"), "op-1"));
  ASSERT_TRUE(draft);
  ASSERT_TRUE(service_.edit_item(anna, draft->id.id, "item:Subject", "theirs"));
  const ItemShape shape{.base = BaseShape::id_only, .additional = {FieldUri{"item:Subject"}}};
  auto sent = run(
      send_once(client_, draft->id, "op-1", shape, [](const Item& now) { return now.subject == "ours"; }));
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().code, "draft-changed");
  EXPECT_TRUE(service_.sent_mail(anna).empty());
}

}  // namespace
}  // namespace syncline::ews
