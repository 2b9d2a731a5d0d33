// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/links.hpp"

#include "store/operations.hpp"
#include "store/standing.hpp"
#include "store_fixture.hpp"

namespace syncline::store {
namespace {

using model::RecordKind;

class Links : public StoreTest {
 protected:
  void SetUp() override {
    StoreTest::SetUp();
    mailbox_ = make_mailbox();
    record_ = make_record(RecordKind::task, R"({"subject":"one"})");
  }
  Link task_link(const std::string& remote_id, model::RecordId record = 0) {
    return {.record = record ? record : record_.id,
            .mailbox = mailbox_,
            .kind = RecordKind::task,
            .folder = "tasks",
            .remote_id = remote_id,
            .record_version = 1};
  }
  Link insert(const Link& link) {
    auto inserted = write<Link>([&](Transaction& t) { return insert_link(t, link); });
    EXPECT_TRUE(inserted) << inserted.error().describe();
    return inserted.value_or(Link());
  }
  void update(const Link& link) {
    auto updated = act([&](Transaction& t) { return update_link(t, link); });
    EXPECT_TRUE(updated) << updated.error().describe();
  }
  std::optional<Link> find(const std::string& remote_id) {
    return read<std::optional<Link>>([&](Transaction& t) { return find_link(t, mailbox_, remote_id); });
  }
  std::vector<LinkId> stale(LinkId after = 0, int most = 100) {
    std::vector<LinkId> out;
    for (const Link& link : read<std::vector<Link>>(
             [&](Transaction& t) { return stale_links(t, mailbox_, RecordKind::task, after, most); }))
      out.push_back(link.id);
    return out;
  }
  model::Record change(model::RecordId id) {
    auto changed = write<model::Record>([&](Transaction& t) -> Result<model::Record> {
      auto found = find_record(t, id, true);
      if (!found) return fail(found.error());
      return update_record(t, **found);
    });
    EXPECT_TRUE(changed);
    return changed.value_or(model::Record());
  }

  MailboxId mailbox_ = 0;
  model::Record record_;
};

TEST_F(Links, ComeBackAsTheyWere) {
  Link link = task_link("AAMk=");
  link.remote_version = "key-1";
  link.search_key = "sk";
  link.state = LinkState::held_delete;
  link.base = fields(R"({"subject":"one","body":null})");
  link.id = insert(link).id;
  const auto found = find("AAMk=");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->id, link.id);
  EXPECT_EQ(found->record, record_.id);
  EXPECT_EQ(found->mailbox, mailbox_);
  EXPECT_EQ(found->kind, RecordKind::task);
  EXPECT_EQ(found->folder, "tasks");
  EXPECT_EQ(found->remote_version, "key-1");
  EXPECT_EQ(found->search_key, "sk");
  EXPECT_EQ(found->state, LinkState::held_delete);
  EXPECT_EQ(found->record_version, 1);
  EXPECT_EQ(found->base, link.base);
  EXPECT_EQ(read<std::optional<Link>>([&](Transaction& t) { return find_link(t, link.id); })->remote_id,
            "AAMk=");
  EXPECT_FALSE(read<std::optional<Link>>([&](Transaction& t) { return find_link(t, link.id + 1); }));
}

TEST_F(Links, AreOnePerItemAndMailboxWithIdsInTheirCase) {
  insert(task_link("AAMk="));
  auto again = write<Link>([&](Transaction& t) { return insert_link(t, task_link("AAMk=")); });
  EXPECT_EQ(code_of(again), "already-linked");
  insert(task_link("aamk="));
  Link elsewhere = task_link("AAMk=");
  elsewhere.mailbox = make_mailbox("boris@example.org");
  insert(elsewhere);
  // Of items that have no id yet there may be several, and an empty id finds none.
  insert(task_link(""));
  insert(task_link(""));
  EXPECT_FALSE(find(""));
  Link taken = *find("aamk=");
  taken.remote_id = "AAMk=";
  EXPECT_EQ(code_of(act([&](Transaction& t) { return update_link(t, taken); })), "already-linked");
}

TEST_F(Links, NeedTheirRecord) {
  auto refused = write<Link>([&](Transaction& t) { return insert_link(t, task_link("x", 4711)); });
  EXPECT_EQ(code_of(refused), "no-reference");
}

TEST_F(Links, AreUpdatedAsAWhole) {
  Link link = insert(task_link("a"));
  link.remote_id = "b";
  link.folder = "other";
  link.remote_version = "2";
  link.search_key = "s";
  link.state = LinkState::conflict;
  link.base = fields(R"({"a":1})");
  update(link);
  EXPECT_FALSE(find("a"));
  const auto found = find("b");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->folder, "other");
  EXPECT_EQ(found->remote_version, "2");
  EXPECT_EQ(found->state, LinkState::conflict);
  EXPECT_EQ(found->base, link.base);
  link.id = 99;
  link.remote_id = "c";
  EXPECT_EQ(code_of(act([&](Transaction& t) { return update_link(t, link); })), "no-link");
}

TEST_F(Links, Invariant3TakeANewVersionOfAnEchoAndKeepTheirBase) {
  Link link = task_link("a");
  link.base = fields(R"({"subject":"one"})");
  link = insert(link);
  EXPECT_TRUE(act([&](Transaction& t) { return update_link_version(t, link.id, "echo"); }));
  EXPECT_EQ(find("a")->remote_version, "echo");
  EXPECT_EQ(find("a")->base, link.base);
  EXPECT_EQ(code_of(act([&](Transaction& t) { return update_link_version(t, 99, "x"); })), "no-link");
}

TEST_F(Links, AreDeletedWithTheirBaseAndTheirIdIsNotGivenAgain) {
  Link link = task_link("a");
  link.base = fields(R"({"subject":"one"})");
  const LinkId id = insert(link).id;
  EXPECT_TRUE(act([&](Transaction& t) { return delete_link(t, id); }));
  EXPECT_FALSE(find("a"));
  EXPECT_GT(insert(task_link("a")).id, id);
  EXPECT_TRUE(find("a")->base.empty());
  EXPECT_TRUE(store_->check());
}

TEST_F(Links, Invariant4FindsTheHeldDeleteOfAMoveByItsSearchKey) {
  Link copy = task_link("copy");
  copy.search_key = "K";
  insert(copy);
  Link parted = task_link("parted");
  parted.search_key = "K";
  parted.state = LinkState::unlinked;
  insert(parted);
  Link moved = task_link("moved");
  moved.search_key = "K";
  moved.state = LinkState::held_delete;
  moved = insert(moved);
  const auto by_key = [&] {
    return read<std::optional<Link>>(
        [&](Transaction& t) { return find_link_by_search_key(t, mailbox_, "K"); });
  };
  EXPECT_EQ(by_key()->remote_id, "moved");
  const auto held = read<std::vector<Link>>([&](Transaction& t) { return held_deletes(t, mailbox_); });
  ASSERT_EQ(held.size(), 1u);
  EXPECT_EQ(held[0].id, moved.id);
  moved.state = LinkState::unlinked;
  update(moved);
  EXPECT_EQ(by_key()->remote_id, "copy");
  EXPECT_TRUE(read<std::vector<Link>>([&](Transaction& t) { return held_deletes(t, mailbox_); }).empty());
  EXPECT_FALSE(
      read<std::optional<Link>>([&](Transaction& t) { return find_link_by_search_key(t, mailbox_, ""); }));
}

TEST_F(Links, OfARecordAreFoundInEveryMailbox) {
  Link parted = task_link("a");
  parted.state = LinkState::unlinked;
  insert(parted);
  const Link second = insert(task_link("b"));
  Link elsewhere = task_link("c");
  elsewhere.mailbox = make_mailbox("boris@example.org");
  insert(elsewhere);
  EXPECT_EQ(read<std::vector<Link>>([&](Transaction& t) { return links_of_record(t, record_.id); }).size(),
            3u);
  EXPECT_EQ(read<std::optional<Link>>([&](Transaction& t) {
              return link_of_record_in(t, record_.id, mailbox_);
            })->id,
            second.id);
  EXPECT_FALSE(
      read<std::optional<Link>>([&](Transaction& t) { return link_of_record_in(t, record_.id, 99); }));
}

TEST_F(Links, GiveTheirKeysByFolder) {
  insert(task_link("a"));
  Link parted = task_link("b");
  parted.state = LinkState::unlinked;
  insert(parted);
  Link other = task_link("c");
  other.folder = "other";
  insert(other);
  const auto keys = [&](std::string_view folder) {
    return read<std::vector<LinkKey>>([&](Transaction& t) { return link_keys(t, mailbox_, folder); });
  };
  ASSERT_EQ(keys("tasks").size(), 1u);
  EXPECT_EQ(keys("tasks")[0].remote_id, "a");
  EXPECT_EQ(keys("other").size(), 1u);
  EXPECT_TRUE(keys("nowhere").empty());
  EXPECT_EQ(read<std::int64_t>([&](Transaction& t) { return count_links(t, mailbox_, RecordKind::task); }),
            2);
  EXPECT_EQ(read<std::int64_t>([&](Transaction& t) { return count_links(t, mailbox_, RecordKind::email); }),
            0);
}

TEST_F(Links, AreStaleWhenTheirRecordChangedAndNoMoreWhenBothAgree) {
  Link link = insert(task_link("a"));
  EXPECT_TRUE(stale().empty());
  const auto changed = change(record_.id);
  EXPECT_EQ(stale(), std::vector{link.id});
  // An echo does not make them agree.
  EXPECT_TRUE(act([&](Transaction& t) { return update_link_version(t, link.id, "2"); }));
  EXPECT_EQ(stale(), std::vector{link.id});
  link.record_version = changed.version;
  update(link);
  EXPECT_TRUE(stale().empty());
  EXPECT_TRUE(read<std::vector<Link>>([&](Transaction& t) {
                return stale_links(t, mailbox_, RecordKind::email, 0, 9);
              }).empty());
}

TEST_F(Links, ThatAreStaleAreTheBacklogUntilAnOperationIsMadeForThem) {
  const auto waiting = [&] { return read<Standing>(read_standing).changes_waiting; };
  const auto here = [&](MailboxId mailbox) {
    return read<std::int64_t>([&](Transaction& t) { return count_stale_links(t, mailbox); });
  };
  const Link link = insert(task_link("a"));
  EXPECT_EQ(waiting(), 0);
  change(record_.id);
  EXPECT_EQ(waiting(), 1) << "in an outage nothing else says that it waits";
  EXPECT_EQ(here(mailbox_), 1);
  EXPECT_EQ(here(mailbox_ + 1), 0);
  auto put = [&](OperationState state) {
    return act([&](Transaction& t) {
      return insert_operation(t, {.id = std::to_string(static_cast<int>(state)),
                                  .mailbox = mailbox_,
                                  .link = link.id,
                                  .state = state});
    });
  };
  ASSERT_TRUE(put(OperationState::done));
  EXPECT_EQ(waiting(), 1);
  ASSERT_TRUE(put(OperationState::ready));
  EXPECT_EQ(waiting(), 0);
  EXPECT_EQ(here(mailbox_), 0);
  EXPECT_EQ(read<Standing>(read_standing).writes_waiting, 1);
  const auto unsent =
      make_record(RecordKind::email, R"({"direction":"outgoing","statusCode":"pendingSend","subject":"s"})");
  EXPECT_EQ(waiting(), 1);
  ASSERT_TRUE(act([&](Transaction& t) {
    return insert_operation(t, {.id = "send", .mailbox = mailbox_, .record = unsent.id});
  }));
  EXPECT_EQ(waiting(), 0);
}

TEST_F(Links, ThatAreMadeFromAnOlderVersionAreStaleFromTheBeginning) {
  change(record_.id);
  const Link link = insert(task_link("a"));
  EXPECT_EQ(stale(), std::vector{link.id});
}

TEST_F(Links, ThatAreUnlinkedOrHeldAreNotStaleUntilTheyAreLinkedAgain) {
  Link link = task_link("a");
  link.state = LinkState::held_delete;
  link = insert(link);
  Link parted = task_link("b");
  parted.state = LinkState::unlinked;
  parted = insert(parted);
  Link asking = task_link("c");
  asking.state = LinkState::conflict;
  asking = insert(asking);
  change(record_.id);
  EXPECT_EQ(stale(), std::vector{asking.id});
  link.state = LinkState::linked;
  update(link);
  EXPECT_EQ(stale(), (std::vector{link.id, asking.id}));
  parted.state = LinkState::linked;
  update(parted);
  EXPECT_EQ(stale(), (std::vector{link.id, parted.id, asking.id}));
}

TEST_F(Links, ThatAreStaleComeInPagesOldestChangeFirst) {
  std::vector<Link> made;
  for (int i = 0; i < 5; ++i) {
    const auto record = make_record(RecordKind::task, "{}");
    made.push_back(insert(task_link("item-" + std::to_string(i), record.id)));
  }
  for (const int i : {3, 1, 4, 0, 2}) change(made[static_cast<std::size_t>(i)].record);
  EXPECT_EQ(stale(0, 2), (std::vector{made[3].id, made[1].id}));
  // The page was worked off: it does not come again, and the next one follows.
  for (const std::size_t i : {3, 1}) {
    made[i].record_version = 2;
    update(made[i]);
  }
  EXPECT_EQ(stale(made[1].id, 2), (std::vector{made[4].id, made[0].id}));
  EXPECT_EQ(stale(made[0].id, 2), std::vector{made[2].id});
  EXPECT_TRUE(stale(made[2].id, 2).empty());
  EXPECT_EQ(stale().size(), 3u);
}

}  // namespace
}  // namespace syncline::store
