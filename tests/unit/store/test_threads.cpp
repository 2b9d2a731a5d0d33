// SPDX-License-Identifier: GPL-3.0-or-later
#include <atomic>
#include <thread>

#include "store/content.hpp"
#include "store/cursors.hpp"
#include "store_fixture.hpp"

namespace syncline::store {
namespace {

using Threads = StoreTest;

TEST_F(Threads, ReadersSeeWholePagesBesideAWriter) {
  const MailboxId mailbox = make_mailbox();
  constexpr int pages = 30;
  constexpr int items = 10;
  std::atomic<bool> done = false;
  std::atomic<int> torn = 0;
  std::atomic<int> looks = 0;
  const auto look = [&] {
    do {
      auto seen = store_->read<bool>([&](Transaction& t) -> Result<bool> {
        auto cursor = find_cursor(t, mailbox, "inbox");
        auto count = count_records(t, model::RecordKind::email);
        if (!cursor || !count) return fail(ErrorDomain::local, "failed", "");
        const std::int64_t expected = *cursor ? std::stoll((*cursor)->text) * items : 0;
        if (*count != expected) ++torn;
        return true;
      });
      if (!seen) ++torn;
      ++looks;
    } while (!done);
  };
  std::thread first(look);
  std::thread second(look);
  for (int page = 1; page <= pages; ++page) {
    auto written = act([&](Transaction& t) -> Result<void> {
      for (int i = 0; i < items; ++i)
        if (auto record = insert_record(t, {}); !record) return fail(record.error());
      return put_cursor(t, {.mailbox = mailbox, .folder = "inbox", .text = std::to_string(page)});
    });
    EXPECT_TRUE(written);
  }
  done = true;
  first.join();
  second.join();
  EXPECT_EQ(torn, 0);
  EXPECT_GE(looks, 2);
}

TEST_F(Threads, WritersTakeTurnsAndNoChangeNumberIsGivenTwice) {
  const auto add = [&] {
    for (int i = 0; i < 20; ++i)
      EXPECT_TRUE(act([&](Transaction& t) -> Result<void> {
        if (auto record = insert_record(t, {}); !record) return fail(record.error());
        return {};
      }));
  };
  std::thread first(add);
  std::thread second(add);
  first.join();
  second.join();
  EXPECT_EQ(read<std::int64_t>([](Transaction& t) { return last_change(t); }), 40);
  EXPECT_EQ(read<std::vector<RecordChange>>([](Transaction& t) { return changes_since(t, 0, 100); }).size(),
            40u);
}

TEST_F(Threads, TwoStoresOnOneFolderTakeTurns) {
  auto other = Store::open(folder_, clock_, random_);
  ASSERT_TRUE(other);
  const auto add = [](Store& store) {
    for (int i = 0; i < 20; ++i)
      EXPECT_TRUE(store.write<model::Record>([](Transaction& t) { return insert_record(t, {}); }));
  };
  std::thread first([&] { add(*store_); });
  std::thread second([&] { add(**other); });
  first.join();
  second.join();
  EXPECT_EQ(read<std::int64_t>([](Transaction& t) { return count_records(t, model::RecordKind::email); }),
            40);
}

TEST_F(Threads, TheSameContentFromTwoIsOneFile) {
  auto contents = ContentStore::open(*store_);
  ASSERT_TRUE(contents);
  const auto put = [&] {
    for (int i = 0; i < 20; ++i) {
      auto writer = contents->create();
      ASSERT_TRUE(writer);
      const std::vector<std::byte> octets(70'000, static_cast<std::byte>(i));
      EXPECT_TRUE(writer->write(octets));
      EXPECT_TRUE(writer->finish());
    }
  };
  std::thread first(put);
  std::thread second(put);
  first.join();
  second.join();
  int files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_ + "/content"))
    files += entry.is_regular_file();
  EXPECT_EQ(files, 20);
}

}  // namespace
}  // namespace syncline::store
