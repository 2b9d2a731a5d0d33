// SPDX-License-Identifier: GPL-3.0-or-later
// Remove: to Deleted Items, only what nobody changed (invariant 8).
#include "write_bench.hpp"

namespace syncline::ews::testing {
namespace {

using model::RecordKind;

class Remove : public ::testing::Test {
 protected:
  void TearDown() override { EXPECT_THAT(bench.exchange.schema_violations(), ::testing::IsEmpty()); }
  WriteBench bench;

  std::string contact() {
    return bench.made(bench.create(RecordKind::contact, R"({"surname":"King","jobTitle":"Analyst"})"));
  }
};

TEST_F(Remove, AnItemGoesToTheDeletedItems) {
  for (const auto& [kind, folder, json] :
       {std::tuple{RecordKind::contact, "contacts", R"({"surname":"x"})"},
        std::tuple{RecordKind::task, "tasks", R"({"subject":"x"})"},
        std::tuple{RecordKind::appointment, "calendar",
                   R"({"subject":"x","start":"2026-03-20T11:00:00Z","end":"2026-03-20T12:00:00Z"})"}}) {
    const std::size_t before = bench.count("deleteditems");
    const std::string id = bench.made(bench.create(kind, json));
    const auto applied = bench.apply(bench.remove(kind, id));
    ASSERT_TRUE(applied) << folder << ": " << applied.error().describe();
    EXPECT_EQ(bench.count(folder), 0U);
    EXPECT_EQ(bench.count("deleteditems"), before + 1);
  }
}

TEST_F(Remove, AnItemThatSomebodyChangedStays) {
  const std::string id = contact();
  const auto order = bench.remove(RecordKind::contact, id);
  ASSERT_TRUE(bench.service().edit_item(anna, id, "contacts:JobTitle", "Poet"));
  const auto applied = bench.apply(order);
  ASSERT_FALSE(applied);
  EXPECT_EQ(applied.error().code, "conflict");
  EXPECT_EQ(bench.count("contacts"), 1U);
  EXPECT_EQ(bench.exchange.requests("DeleteItem"), 0U);
}

TEST_F(Remove, WhatIsGoneAlreadyIsDone) {
  const std::string id = contact();
  const auto order = bench.remove(RecordKind::contact, id);
  ASSERT_TRUE(bench.service().delete_item(anna, id));
  EXPECT_TRUE(bench.apply(order));
  EXPECT_EQ(bench.count("deleteditems"), 1U);
}

TEST_F(Remove, AnEditBetweenTheLookAndTheDeleteBringsTheItemBack) {
  const std::string id = contact();
  const auto order = bench.remove(RecordKind::contact, id);
  bench.before("DeleteItem",
               [&] { EXPECT_TRUE(bench.service().edit_item(anna, id, "contacts:JobTitle", "Poet")); });
  const auto applied = bench.apply(order);
  ASSERT_FALSE(applied);
  EXPECT_EQ(applied.error().code, "conflict");
  EXPECT_EQ(bench.count("deleteditems"), 0U);
  ASSERT_EQ(bench.count("contacts"), 1U);
  const std::string back = bench.service().list(anna, "contacts").value().front().id;
  EXPECT_EQ(bench.property(back, "contacts:JobTitle"), "Poet");
}

TEST_F(Remove, AnEditBetweenTheLookAndALostAnswerBringsTheItemBack) {
  const std::string id = contact();
  const auto order = bench.remove(RecordKind::contact, id);
  bench.before(
      "DeleteItem", [&] { EXPECT_TRUE(bench.service().edit_item(anna, id, "contacts:JobTitle", "Poet")); },
      true);
  const auto applied = bench.apply(order);
  ASSERT_FALSE(applied);
  EXPECT_EQ(applied.error().code, "conflict");
  EXPECT_EQ(bench.count("contacts"), 1U);
  EXPECT_EQ(bench.count("deleteditems"), 0U);
}

TEST_F(Remove, ALostRequestIsSentAgainAndALostAnswerIsNot) {
  const std::string first = contact();
  const auto lost_request = bench.remove(RecordKind::contact, first);
  bench.exchange.lose_request("DeleteItem");
  EXPECT_TRUE(bench.apply(lost_request));
  EXPECT_EQ(bench.exchange.requests("DeleteItem"), 2U);
  const std::string second = contact();
  const auto lost_reply = bench.remove(RecordKind::contact, second);
  bench.exchange.forget_requests();
  bench.exchange.lose_reply("DeleteItem");
  EXPECT_TRUE(bench.apply(lost_reply));
  EXPECT_EQ(bench.exchange.requests("DeleteItem"), 1U);
  EXPECT_EQ(bench.count("contacts"), 0U);
}

TEST_F(Remove, ARecurringTaskGoesWhole) {
  const std::string id = bench.made(bench.create(RecordKind::task, R"({"subject":"Report",
      "startDate":"2026-01-05","dueDate":"2026-01-05","recurrence":{"pattern":{"type":"daily","interval":1},
      "range":{"type":"noEnd","startDate":"2026-01-05"}}})"));
  ASSERT_TRUE(bench.apply(bench.remove(RecordKind::task, id)));
  EXPECT_EQ(bench.count("tasks"), 0U);
}

}  // namespace
}  // namespace syncline::ews::testing
