// SPDX-License-Identifier: GPL-3.0-or-later
// The feed of changes under writers that do not wait for its readers.
#include "service/views/change_feed.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <map>
#include <thread>

#include "base/clock.hpp"
#include "store/configuration.hpp"
#include "store/links.hpp"
#include "store/store.hpp"

namespace syncline::service {
namespace {

namespace fs = std::filesystem;

class ChangeFeed : public testing::Test {
 protected:
  void SetUp() override {
    store::StoreOptions options;
    options.create = true;
    auto opened = store::Store::open(folder.string(), system_clock(), system_random(), options);
    ASSERT_TRUE(opened) << opened.error().describe();
    store = std::move(*opened);
  }
  void TearDown() override {
    store.reset();
    fs::remove_all(folder);
  }

  model::Record add(const std::string& owner, model::RecordKind kind = model::RecordKind::contact) {
    auto added = store->write<model::Record>([&](store::Transaction& transaction) {
      model::Record record;
      record.kind = kind;
      record.owner = owner;
      return store::insert_record(transaction, std::move(record));
    });
    EXPECT_TRUE(added);
    return *added;
  }
  model::Record change(model::Record record, bool deleted = false) {
    auto changed = store->write<model::Record>([&](store::Transaction& transaction) {
      record.deleted = deleted;
      return store::update_record(transaction, record);
    });
    EXPECT_TRUE(changed);
    return *changed;
  }
  FeedPage read(const FeedQuery& query) {
    auto page =
        store->read<FeedPage>([&](store::Transaction& transaction) { return read_feed(transaction, query); });
    EXPECT_TRUE(page);
    return page ? std::move(*page) : FeedPage{};
  }
  static std::string id_of(const FeedChange& change) {
    return std::string(change.record.at("id").get_string());
  }

  fs::path folder = fs::temp_directory_path() / ("syncline-feed-" + system_random().uuid());
  std::unique_ptr<store::Store> store;
};

TEST_F(ChangeFeed, GivesEachRecordOnceAtItsLatestChangeAndDeletedOnesToo) {
  const auto first = add("a@x"), second = add("b@x"), third = add("a@x");
  change(first);
  change(second, true);
  FeedPage page = read({.most = 2});
  ASSERT_EQ(page.changes.size(), 2U);
  EXPECT_EQ(id_of(page.changes[0]), std::to_string(third.id));
  EXPECT_EQ(id_of(page.changes[1]), std::to_string(first.id));
  EXPECT_TRUE(page.has_more);
  page = read({.after = page.end});
  ASSERT_EQ(page.changes.size(), 1U);
  EXPECT_EQ(id_of(page.changes[0]), std::to_string(second.id));
  EXPECT_TRUE(page.changes[0].record.at("deleted").get_bool());
  EXPECT_FALSE(page.has_more);
  EXPECT_TRUE(read({.after = page.end}).changes.empty());
}

TEST_F(ChangeFeed, MovesOnPastWhatAFilterLeavesOut) {
  for (int i = 0; i < 30; ++i) add("other@x");
  const auto own = add("a@x", model::RecordKind::task);
  const FeedPage page = read({.owner = "a@x", .most = 5});
  ASSERT_EQ(page.changes.size(), 1U);
  EXPECT_EQ(id_of(page.changes[0]), std::to_string(own.id));
  EXPECT_FALSE(page.has_more);
  EXPECT_TRUE(read({.kind = model::RecordKind::email}).changes.empty());
  EXPECT_EQ(read({.kinds = 1U << static_cast<unsigned>(model::RecordKind::task)}).changes.size(), 1U);
}

TEST_F(ChangeFeed, APageEndsBeforeItIsTooLongAndALargerRecordComesAlone) {
  const std::string small(100, 's'), large(5'000, 'l');
  std::vector<std::string> wanted;
  for (const std::string& text : {small, small, large, large, small, small, small}) {
    auto added = store->write<model::Record>([&](store::Transaction& transaction) {
      model::Record record;
      record.kind = model::RecordKind::contact;
      record.fields["notes"] = text;
      return store::insert_record(transaction, std::move(record));
    });
    ASSERT_TRUE(added);
    wanted.push_back(std::to_string(added->id));
  }
  std::vector<std::string> seen;
  std::vector<std::size_t> pages;
  FeedPage page;
  do {
    page = read({.after = page.end, .most_octets = 2'000});
    ASSERT_FALSE(page.changes.empty());
    for (const FeedChange& one : page.changes) seen.push_back(id_of(one));
    pages.push_back(page.changes.size());
  } while (page.has_more);
  EXPECT_EQ(seen, wanted);
  EXPECT_EQ(pages, (std::vector<std::size_t>{2, 1, 1, 3}));
}

TEST_F(ChangeFeed, TheLinksOfARecordNameTheirMailboxes) {
  const auto linked = add("a@x");
  add("b@x");
  auto put = store->write<void>([&](store::Transaction& transaction) -> Result<void> {
    for (const char* address : {"one@x", "two@x"}) {
      auto mailbox = store::put_mailbox(transaction, {.address = address});
      if (!mailbox) return fail(std::move(mailbox.error()));
      store::Link link;
      link.mailbox = *mailbox;
      link.record = linked.id;
      link.remote_id = address;
      if (auto made = store::insert_link(transaction, std::move(link)); !made)
        return fail(std::move(made.error()));
    }
    return {};
  });
  ASSERT_TRUE(put) << put.error().describe();
  const FeedPage page = read({});
  ASSERT_EQ(page.changes.size(), 2U);
  const auto& links = page.changes[0].record.at("links").get_array();
  ASSERT_EQ(links.size(), 2U);
  for (const auto& link : links) EXPECT_EQ(link.at("mailbox"), link.at("remoteId"));
  EXPECT_TRUE(page.changes[1].record.at("links").get_array().empty());
}

TEST_F(ChangeFeed, ATokenIsOfOneOrganisationOnlyAndOneBeyondTheEndIsSaid) {
  const std::string token = feed_token(store->organisation_id(), 7);
  auto read_back = parse_feed_token(store->organisation_id(), token);
  ASSERT_TRUE(read_back);
  EXPECT_EQ(*read_back, 7);
  EXPECT_FALSE(parse_feed_token("another-organisation", token));
  for (const char* bad : {"", "x", "AAAA", "ZjEuMTIzNDU2NzguLTE", "💥"})
    EXPECT_FALSE(parse_feed_token(store->organisation_id(), bad)) << bad;
  auto beyond = store->read<FeedPage>(
      [&](store::Transaction& transaction) { return read_feed(transaction, {.after = 7}); });
  ASSERT_FALSE(beyond);
  EXPECT_EQ(beyond.error().code, "feed-reset");
}

TEST_F(ChangeFeed, LosesNothingWhileSeveralWriteAtOnce) {
  constexpr int writers = 4, writes = 60;
  std::atomic<int> at_work = writers;
  std::vector<std::thread> threads;
  for (int i = 0; i < writers; ++i) {
    threads.emplace_back([&, i] {
      for (int j = 0; j < writes; ++j) {
        const auto record = add("w" + std::to_string(i) + "@x");
        if (j % 3 == 0) change(record, j % 2 == 0);
      }
      --at_work;
    });
  }
  // What a follower has seen, by id: the version that it was given last.
  std::map<std::string, std::int64_t> seen;
  std::int64_t after = 0, last_number = 0;
  for (bool is_last = false;;) {
    const FeedPage page = read({.after = after, .most = 7});
    for (const FeedChange& one : page.changes) {
      EXPECT_GT(one.change, last_number) << "the feed goes forward";
      last_number = one.change;
      seen[id_of(one)] = one.record.at("version").to_number<std::int64_t>();
    }
    after = page.end;
    if (page.has_more) continue;
    if (is_last) break;
    is_last = at_work == 0;
  }
  for (std::thread& thread : threads) thread.join();
  auto all = store->read<std::vector<model::Record>>([](store::Transaction& transaction) {
    return store::list_records(transaction, {.deleted_too = true, .most = 10'000});
  });
  ASSERT_TRUE(all);
  EXPECT_EQ(all->size(), static_cast<std::size_t>(writers * writes));
  ASSERT_EQ(seen.size(), all->size());
  for (const model::Record& record : *all)
    EXPECT_EQ(seen[std::to_string(record.id)], record.version) << record.id;
}

}  // namespace
}  // namespace syncline::service
