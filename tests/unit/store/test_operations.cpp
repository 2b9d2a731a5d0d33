// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/operations.hpp"

#include "store_fixture.hpp"

namespace syncline::store {
namespace {

class Operations : public StoreTest {
 protected:
  void SetUp() override {
    StoreTest::SetUp();
    mailbox_ = make_mailbox();
  }
  void insert(const Operation& operation) {
    auto inserted = act([&](Transaction& t) { return insert_operation(t, operation); });
    EXPECT_TRUE(inserted) << inserted.error().describe();
  }
  std::optional<Operation> find(std::string_view id) {
    return read<std::optional<Operation>>([&](Transaction& t) { return find_operation(t, id); });
  }
  std::vector<std::string> unfinished() {
    std::vector<std::string> out;
    for (const Operation& operation :
         read<std::vector<Operation>>([&](Transaction& t) { return unfinished_operations(t, mailbox_); }))
      out.push_back(operation.id);
    return out;
  }

  MailboxId mailbox_ = 0;
};

TEST_F(Operations, Invariant6AreThereInFullBeforeTheyAreTried) {
  const auto record = make_record(model::RecordKind::task, "{}");
  const auto link = write<Link>([&](Transaction& t) {
    return insert_link(
        t, {.record = record.id, .mailbox = mailbox_, .kind = model::RecordKind::task, .remote_id = "r"});
  });
  ASSERT_TRUE(link);
  const Operation operation{.id = "uuid-1",
                            .mailbox = mailbox_,
                            .record = record.id,
                            .link = link->id,
                            .state = OperationState::uncertain,
                            .what = "create",
                            .order = R"({"a":1})",
                            .progress = "step 2",
                            .saved_at = clock_.now(),
                            .not_before = clock_.now() + std::chrono::seconds(60),
                            .attempts = 3,
                            .error = "reply lost",
                            .result_id = "AAMk",
                            .created_at = clock_.now()};
  insert(operation);
  open({});
  const auto found = find("uuid-1");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->mailbox, mailbox_);
  EXPECT_EQ(found->record, record.id);
  EXPECT_EQ(found->link, link->id);
  EXPECT_EQ(found->state, OperationState::uncertain);
  EXPECT_EQ(found->what, "create");
  EXPECT_EQ(found->order, operation.order);
  EXPECT_EQ(found->progress, "step 2");
  EXPECT_EQ(found->saved_at, operation.saved_at);
  EXPECT_EQ(found->not_before, operation.not_before);
  EXPECT_EQ(found->attempts, 3);
  EXPECT_EQ(found->error, "reply lost");
  EXPECT_EQ(found->result_id, "AAMk");
  EXPECT_EQ(found->created_at, operation.created_at);
  EXPECT_EQ(
      read<std::vector<Operation>>([&](Transaction& t) { return operations_of_record(t, record.id); }).size(),
      1u);
  // A link that goes leaves the operation: its history is evidence (invariant 7).
  ASSERT_TRUE(act([&](Transaction& t) { return delete_link(t, link->id); }));
  EXPECT_EQ(find("uuid-1")->link, 0);
}

TEST_F(Operations, AreMadeOnce) {
  insert({.id = "a", .mailbox = mailbox_});
  auto again = act([&](Transaction& t) { return insert_operation(t, {.id = "a", .mailbox = mailbox_}); });
  EXPECT_EQ(code_of(again), "operation-exists");
}

TEST_F(Operations, ThatAreUnfinishedComeInTheOrderTheyWereMade) {
  for (const char* id : {"z", "y", "x", "w", "v", "u"}) insert({.id = id, .mailbox = mailbox_});
  insert({.id = "elsewhere", .mailbox = make_mailbox("boris@example.org")});
  const OperationState states[] = {OperationState::sent,         OperationState::done,
                                   OperationState::uncertain,    OperationState::refused,
                                   OperationState::needs_person, OperationState::ready};
  int at = 0;
  for (const char* id : {"z", "y", "x", "w", "v", "u"}) {
    Operation operation = *find(id);
    operation.state = states[at++];
    ASSERT_TRUE(act([&](Transaction& t) { return update_operation(t, operation); }));
  }
  EXPECT_EQ(unfinished(), (std::vector<std::string>{"z", "x", "u"}));
  const auto person = read<std::vector<Operation>>(
      [&](Transaction& t) { return list_operations(t, OperationState::needs_person, 10); });
  ASSERT_EQ(person.size(), 1u);
  EXPECT_EQ(person[0].id, "v");
}

TEST_F(Operations, SaveTheirProgressAndAreThenSent) {
  insert({.id = "a", .mailbox = mailbox_, .order = "{}", .attempts = 2});
  clock_.advance(std::chrono::seconds(5));
  ASSERT_TRUE(act([&](Transaction& t) { return save_progress(t, "a", "begun", clock_.now()); }));
  const auto found = find("a");
  EXPECT_EQ(found->state, OperationState::sent);
  EXPECT_EQ(found->progress, "begun");
  EXPECT_EQ(found->saved_at, clock_.now());
  EXPECT_EQ(found->order, "{}");
  EXPECT_EQ(found->attempts, 2);
  EXPECT_EQ(code_of(act([&](Transaction& t) { return save_progress(t, "b", "", clock_.now()); })),
            "no-operation");
  EXPECT_EQ(
      code_of(act([&](Transaction& t) { return update_operation(t, {.id = "b", .mailbox = mailbox_}); })),
      "no-operation");
}

TEST_F(Operations, OfOneKindTellWhenTheyWereLastTried) {
  const auto sent = [&](const std::string& id, const std::string& what) {
    insert({.id = id, .mailbox = mailbox_, .what = what});
    ASSERT_TRUE(act([&](Transaction& t) { return save_progress(t, id, "begun", clock_.now()); }));
    clock_.advance(std::chrono::seconds(10));
  };
  const SystemTime start = clock_.now();
  sent("a", "send");
  sent("b", "send");
  sent("c", "create");
  sent("d", "send");
  insert({.id = "waiting", .mailbox = mailbox_, .what = "send"});
  const auto since = [&](SystemTime when, MailboxId mailbox) {
    return read<std::vector<SystemTime>>(
        [&](Transaction& t) { return attempts_since(t, mailbox, "send", when); });
  };
  EXPECT_EQ(since(start, mailbox_),
            (std::vector<SystemTime>{start + std::chrono::seconds(10), start + std::chrono::seconds(30)}));
  EXPECT_TRUE(since(start, mailbox_ + 1).empty());
}

}  // namespace
}  // namespace syncline::store
