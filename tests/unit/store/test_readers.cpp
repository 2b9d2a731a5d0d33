// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/readers.hpp"

#include "store_fixture.hpp"

namespace syncline::store {
namespace {

using model::RecordId;
using model::RecordKind;

class Readers : public StoreTest {
 protected:
  void SetUp() override {
    StoreTest::SetUp();
    anna_ = {.owner = "anna@example.org",
             .mailboxes = {{make_mailbox("anna@example.org"), "anna@example.org"}}};
    bert_ = {.owner = "bert@example.org",
             .mailboxes = {{make_mailbox("bert@example.org"), "bert@example.org"},
                           {make_mailbox("sales@example.org"), "sales@example.org"}}};
  }
  RecordId add(const std::string& owner, RecordKind kind = RecordKind::email) {
    return make_record(kind, "{}", owner).id;
  }
  Link link(RecordId record, MailboxId mailbox, RecordKind kind = RecordKind::email) {
    auto made = write<Link>([&](Transaction& t) {
      return insert_link(t, {.record = record,
                             .mailbox = mailbox,
                             .kind = kind,
                             .folder = "inbox",
                             .remote_id = std::to_string(++items_)});
    });
    EXPECT_TRUE(made) << made.error().describe();
    return made.value_or(Link());
  }
  void set_state(Link link, LinkState state) {
    link.state = state;
    ASSERT_TRUE(act([&](Transaction& t) { return update_link(t, link); }));
  }
  MailboxId first_of(const Reader& reader) { return reader.mailboxes.begin()->first; }
  MailboxId last_of(const Reader& reader) { return reader.mailboxes.rbegin()->first; }
  std::vector<RecordId> list(const Reader& reader, RecordId after = 0, int most = 100,
                             std::optional<RecordKind> kind = std::nullopt, bool deleted_too = false) {
    return read<std::vector<RecordId>>(
        [&](Transaction& t) { return list_readable(t, reader, kind, deleted_too, after, most); });
  }
  bool is_linked(RecordId record, const Reader& reader) {
    return read<bool>([&](Transaction& t) { return is_linked_for(t, record, reader); });
  }

  Reader anna_, bert_;
  int items_ = 0;
};

using Ids = std::vector<RecordId>;

TEST_F(Readers, ReadWhatIsTheirsAndWhatIsLinkedInTheirMailboxesEachOnceInOrder) {
  const RecordId own = add("bert@example.org"), foreign = add("anna@example.org"),
                 shared = add("anna@example.org"), task = add("bert@example.org", RecordKind::task),
                 queue = add("anna@example.org", RecordKind::contact);
  link(foreign, first_of(anna_));
  link(shared, first_of(anna_));
  link(shared, first_of(bert_));
  link(shared, first_of(bert_));
  link(shared, last_of(bert_));
  link(own, first_of(bert_));
  link(queue, last_of(bert_), RecordKind::contact);
  EXPECT_EQ(list(bert_), (Ids{own, shared, task, queue}));
  EXPECT_EQ(list(anna_), (Ids{foreign, shared, queue}));
  EXPECT_EQ(list(bert_, own, 2), (Ids{shared, task}));
  EXPECT_EQ(list(bert_, task, 2), Ids{queue});
  EXPECT_EQ(list(bert_, 0, 100, RecordKind::email), (Ids{own, shared}));
  EXPECT_TRUE(is_linked(shared, bert_));
  EXPECT_FALSE(is_linked(foreign, bert_));
  EXPECT_FALSE(is_linked(task, bert_)) << "its own, and in no mailbox";
}

TEST_F(Readers, LoseWhatIsUnlinkedAndSeeDeletedOnesOnlyIfTheyAsk) {
  const RecordId shared = add("anna@example.org");
  const Link copy = link(shared, first_of(bert_));
  set_state(copy, LinkState::held_delete);
  EXPECT_EQ(list(bert_), Ids{shared}) << "it may be half of a move";
  set_state(copy, LinkState::unlinked);
  EXPECT_EQ(list(bert_), Ids{});
  EXPECT_FALSE(is_linked(shared, bert_));
  set_state(copy, LinkState::linked);
  ASSERT_TRUE(act([&](Transaction& t) -> Result<void> {
    auto record = find_record(t, shared);
    if (!record) return fail(std::move(record.error()));
    (*record)->deleted = true;
    auto deleted = update_record(t, **record);
    if (!deleted) return fail(std::move(deleted.error()));
    return {};
  }));
  for (const Reader& reader : {anna_, bert_}) {
    EXPECT_EQ(list(reader), Ids{});
    EXPECT_EQ(list(reader, 0, 100, std::nullopt, true), Ids{shared});
  }
  ASSERT_TRUE(act([&](Transaction& t) { return delete_link(t, copy.id); }));
  EXPECT_EQ(list(bert_, 0, 100, std::nullopt, true), Ids{});
}

TEST_F(Readers, PagesGiveEverythingOnceWhateverLiesWhere) {
  Ids wanted;
  for (int i = 0; i < 60; ++i) {
    const RecordId id = add(i % 3 == 0 ? "bert@example.org" : "anna@example.org",
                            i % 2 == 0 ? RecordKind::email : RecordKind::task);
    if (i % 3 == 1)
      link(id, i % 2 == 0 ? first_of(bert_) : last_of(bert_),
           i % 2 == 0 ? RecordKind::email : RecordKind::task);
    if (i % 3 != 2) wanted.push_back(id);
  }
  for (const int most : {1, 4, 7, 100}) {
    Ids seen;
    for (Ids page = list(bert_, 0, most); !page.empty(); page = list(bert_, seen.back(), most)) {
      EXPECT_LE(page.size(), static_cast<std::size_t>(most));
      seen.insert(seen.end(), page.begin(), page.end());
    }
    EXPECT_EQ(seen, wanted) << most;
  }
}

}  // namespace
}  // namespace syncline::store
