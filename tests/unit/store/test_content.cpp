// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/content.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <fstream>

#include "store_fixture.hpp"

namespace syncline::store {
namespace {

namespace fs = std::filesystem;

constexpr const char* sha256_of_abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
constexpr const char* sha256_of_nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

class Content : public StoreTest {
 protected:
  static Result<StoredContent> put(Store& store, std::string_view text) {
    auto contents = ContentStore::open(store);
    if (!contents) return fail(contents.error());
    auto writer = contents->create();
    if (!writer) return fail(writer.error());
    if (auto written = writer->write(std::as_bytes(std::span(text))); !written) return fail(written.error());
    return writer->finish();
  }
  StoredContent put(std::string_view text) {
    auto stored = put(*store_, text);
    EXPECT_TRUE(stored) << stored.error().describe();
    return stored.value_or(StoredContent());
  }
  Result<std::string> get(std::string_view sha256, Store* store = nullptr) {
    auto contents = ContentStore::open(store ? *store : *store_);
    if (!contents) return fail(contents.error());
    auto reader = contents->open_content(sha256);
    if (!reader) return fail(reader.error());
    std::string text;
    std::array<std::byte, 1000> buffer;
    for (;;) {
      auto count = reader->read(buffer);
      if (!count) return fail(count.error());
      if (*count == 0) break;
      text.append(reinterpret_cast<const char*>(buffer.data()), *count);
    }
    EXPECT_EQ(text.size(), reader->size());
    return text;
  }
  std::string path_of(const std::string& sha256) const {
    return folder_ + "/content/" + sha256.substr(0, 2) + "/" + sha256.substr(2);
  }
  std::size_t files_in(const std::string& folder) const {
    std::size_t count = 0;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) count += entry.is_regular_file();
    return count;
  }
  std::uint64_t sweep() {
    auto contents = ContentStore::open(*store_);
    EXPECT_TRUE(contents);
    auto swept = contents->sweep();
    EXPECT_TRUE(swept) << swept.error().describe();
    return swept.value_or(0);
  }
  void refer(model::RecordId record, const std::vector<StoredContent>& contents) {
    auto done = act([&](Transaction& t) { return set_content_of_record(t, record, contents); });
    EXPECT_TRUE(done) << done.error().describe();
  }
};

TEST_F(Content, Invariant2IsNamedByTheHashOfItsOctets) {
  const StoredContent stored = put("abc");
  EXPECT_EQ(stored.sha256, sha256_of_abc);
  EXPECT_EQ(stored.octets, 3u);
  EXPECT_EQ(get(sha256_of_abc).value_or("?"), "abc");
  EXPECT_EQ(put("").sha256, sha256_of_nothing);
  EXPECT_EQ(get(sha256_of_nothing).value_or("?"), "");
  EXPECT_EQ(files_in(folder_ + "/content"), 2u);
  struct stat status {};
  ASSERT_EQ(::stat(path_of(stored.sha256).c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  for (const char* name : {"/content", "/content/tmp", "/content/ba"}) {
    ASSERT_EQ(::stat((folder_ + name).c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0700u) << name;
  }
}

TEST_F(Content, IsTheSameInPiecesOfAnySize) {
  std::string text;
  for (int i = 0; i < 50'000; ++i) text += std::to_string(i * 7919);
  const StoredContent whole = put(text);
  fs::remove(path_of(whole.sha256));
  for (const std::size_t piece :
       {std::size_t{1000}, std::size_t{65535}, std::size_t{65536}, std::size_t{65537}}) {
    auto contents = ContentStore::open(*store_);
    auto writer = contents->create();
    ASSERT_TRUE(writer);
    for (std::size_t at = 0; at < text.size(); at += piece)
      ASSERT_TRUE(
          writer->write(std::as_bytes(std::span(text).subspan(at, std::min(piece, text.size() - at)))));
    EXPECT_EQ(writer->finish().value().sha256, whole.sha256);
    EXPECT_EQ(get(whole.sha256).value_or("?"), text);
    fs::remove(path_of(whole.sha256));
  }
}

TEST_F(Content, TwiceIsOneFile) {
  CountedWrites writes;
  open({.durable_writes = &writes});
  put("abc");
  EXPECT_EQ(writes.count, 1);
  EXPECT_EQ(writes.last, "content");
  put("abc");
  EXPECT_EQ(writes.count, 1);
  const std::string big(200'000, 'b');
  put(big);
  put(big);
  EXPECT_EQ(writes.count, 2);
  EXPECT_EQ(files_in(folder_ + "/content"), 2u);
}

TEST_F(Content, ThatWasCutShortIsReplaced) {
  const StoredContent stored = put("abc");
  std::ofstream(path_of(stored.sha256), std::ios::trunc) << "a";
  put("abc");
  EXPECT_EQ(get(stored.sha256).value_or("?"), "abc");
}

TEST_F(Content, DroppedBeforeItIsFinishedLeavesNothing) {
  {
    auto contents = ContentStore::open(*store_);
    auto writer = contents->create();
    const std::vector<std::byte> octets(300'000);
    ASSERT_TRUE(writer->write(octets));
    EXPECT_EQ(files_in(folder_ + "/content"), 1u);
    ContentWriter moved = std::move(*writer);
    EXPECT_EQ(code_of(writer->write(octets)), "closed");
    EXPECT_EQ(code_of(writer->finish()), "closed");
  }
  EXPECT_EQ(files_in(folder_ + "/content"), 0u);
}

TEST_F(Content, IsFinishedOnce) {
  auto contents = ContentStore::open(*store_);
  auto writer = contents->create();
  ASSERT_TRUE(writer->finish());
  EXPECT_EQ(code_of(writer->finish()), "closed");
  EXPECT_EQ(code_of(writer->write({})), "closed");
}

TEST_F(Content, IsReadAgainFromTheBeginning) {
  const StoredContent stored = put("abcdef");
  auto contents = ContentStore::open(*store_);
  auto reader = contents->open_content(stored.sha256);
  ASSERT_TRUE(reader);
  std::array<std::byte, 4> buffer;
  EXPECT_EQ(reader->read(buffer).value(), 4u);
  EXPECT_EQ(reader->read(buffer).value(), 2u);
  EXPECT_EQ(reader->read(buffer).value(), 0u);
  ASSERT_TRUE(reader->rewind());
  EXPECT_EQ(reader->read(buffer).value(), 4u);
}

TEST_F(Content, NamesThatAreNoneNeverBecomePaths) {
  for (const std::string& name :
       {std::string("../../etc/passwd"), std::string(), std::string(64, 'G'), std::string(63, 'a'),
        std::string(65, 'a'), "../" + std::string(61, 'a'), std::string(64, 'A'), std::string(64, 'a')})
    EXPECT_EQ(code_of(get(name)), "no-content") << name;
  const auto record = make_record(model::RecordKind::email, "{}");
  auto bad = act([&](Transaction& t) { return set_content_of_record(t, record.id, {{.sha256 = "../x"}}); });
  EXPECT_EQ(code_of(bad), "bad-content");
  auto nobody = act([](Transaction& t) { return set_content_of_record(t, 77, {{.sha256 = sha256_of_abc}}); });
  EXPECT_EQ(code_of(nobody), "no-reference");
}

TEST_F(Content, Invariant2StoppedAnywhereIsThereBeforeAnythingRefersToIt) {
  // What a mail does: its content, then the transaction with the record that refers to it.
  const auto mail = [](Store& store) -> Result<bool> {
    auto stored = put(store, std::string(100'000, 'm'));
    if (!stored) return fail(stored.error());
    return store.write<bool>([&](Transaction& t) -> Result<bool> {
      auto record = insert_record(t, {});
      if (!record) return fail(record.error());
      if (auto set = set_content_of_record(t, record->id, {*stored}); !set) return fail(set.error());
      return true;
    });
  };
  store_.reset();
  bool went_through = false;
  for (int step = 1; !went_through; ++step) {
    ASSERT_LT(step, 10);
    for (const bool after : {false, true}) {
      fs::remove_all(folder_);
      open();
      store_.reset();
      const int status = in_child([&] {
        CountedWrites writes;
        (after ? writes.stop_after : writes.stop_before) = step;
        writes.instead = [] { ::kill(::getpid(), SIGKILL); };
        auto store = Store::open(folder_, clock_, random_, {.durable_writes = &writes});
        return store && mail(**store) ? 0 : 1;
      });
      went_through = status == 0;
      if (!went_through) {
        ASSERT_EQ(status, 128 + SIGKILL);
      }
      open({});
      const auto records =
          read<std::int64_t>([](Transaction& t) { return count_records(t, model::RecordKind::email); });
      // 1: the file; 2: the commit.
      EXPECT_EQ(records, went_through || (step == 2 && after) ? 1 : 0) << step << after;
      std::size_t whole = 0;
      for (const auto& entry : fs::recursive_directory_iterator(folder_ + "/content"))
        if (entry.is_regular_file() && entry.path().parent_path().filename() != "tmp") {
          ++whole;
          EXPECT_EQ(entry.file_size(), 100'000u);
        }
      EXPECT_EQ(whole, step == 1 && !after ? 0u : 1u);
      // Resumed: everything, once.
      if (records == 0) {
        EXPECT_TRUE(mail(*store_));
      }
      EXPECT_TRUE(store_->check());
      clock_.advance(std::chrono::hours(24 * 365 * 30));
      sweep();
      EXPECT_EQ(files_in(folder_ + "/content"), 1u);
      store_.reset();
    }
  }
}

TEST_F(Content, OfABatchIsThereTogether) {
  CountedWrites writes;
  open({.durable_writes = &writes});
  auto contents = ContentStore::open(*store_);
  // More than are held open at once, one of them twice, one that is in the store.
  const StoredContent known = put("known");
  std::vector<StoredContent> added;
  ContentBatch batch = contents->batch();
  const auto add = [&](std::string_view text) {
    auto writer = contents->create();
    ASSERT_TRUE(writer->write(std::as_bytes(std::span(text))));
    auto stored = batch.add(std::move(*writer));
    ASSERT_TRUE(stored) << stored.error().describe();
    added.push_back(*stored);
  };
  add("0");
  add("0");
  add("known");
  EXPECT_EQ(code_of(get(added.front().sha256)), "no-content");
  EXPECT_EQ(files_in(folder_ + "/content/tmp"), 0u) << "what is small stays in memory";
  add(std::string(100'000, 'x'));
  EXPECT_EQ(files_in(folder_ + "/content/tmp"), 1u);
  for (int i = 1; i < 150; ++i) add(std::to_string(i));
  ASSERT_TRUE(batch.commit());
  EXPECT_EQ(files_in(folder_ + "/content/tmp"), 0u);
  EXPECT_EQ(files_in(folder_ + "/content"), 152u);
  EXPECT_EQ(writes.count, 152);
  EXPECT_EQ(added[0].sha256, added[1].sha256);
  EXPECT_EQ(added[2].sha256, known.sha256);
  EXPECT_EQ(get(added.back().sha256).value_or("?"), "149");
  EXPECT_TRUE(batch.commit());
  EXPECT_EQ(writes.count, 152);
  // Of what is held in memory there is an end.
  for (int i = 0; i < 75; ++i) add(std::to_string(i) + std::string(60'000, 'y'));
  EXPECT_GT(writes.count, 152);
  EXPECT_LT(writes.count, 227);
  ASSERT_TRUE(batch.commit());
  EXPECT_EQ(writes.count, 227);
}

TEST_F(Content, OfABatchThatIsDroppedOrRefusedDoesNotStay) {
  CountedWrites writes;
  open({.durable_writes = &writes});
  auto contents = ContentStore::open(*store_);
  const auto fill = [&](ContentBatch& batch) {
    for (const std::size_t octets : {80'000, 90'000, 5}) {
      const std::string text(octets, 'a');
      auto writer = contents->create();
      ASSERT_TRUE(writer->write(std::as_bytes(std::span(text))));
      ASSERT_TRUE(batch.add(std::move(*writer)));
      EXPECT_EQ(code_of(batch.add(std::move(*writer))), "closed");
    }
  };
  {
    ContentBatch dropped = contents->batch();
    fill(dropped);
    EXPECT_EQ(files_in(folder_ + "/content"), 2u);
  }
  EXPECT_EQ(files_in(folder_ + "/content"), 0u);
  ContentBatch batch = contents->batch();
  fill(batch);
  writes.stop_before = 2;
  EXPECT_EQ(code_of(batch.commit()), "stopped");
  // The first one had its name already; nothing refers to it.
  EXPECT_EQ(files_in(folder_ + "/content"), 1u);
  EXPECT_TRUE(batch.commit());
  EXPECT_EQ(files_in(folder_ + "/content"), 1u);
}

TEST_F(Content, Invariant2RefusedByAHookLeavesNothingOrEverything) {
  CountedWrites writes;
  open({.durable_writes = &writes});
  writes.stop_before = 1;
  EXPECT_EQ(code_of(put(*store_, "abc")), "stopped");
  EXPECT_EQ(files_in(folder_ + "/content"), 0u);
  writes.stop_after = 2;
  EXPECT_EQ(code_of(put(*store_, "abc")), "stopped");
  EXPECT_EQ(get(sha256_of_abc).value_or("?"), "abc");
}

TEST_F(Content, Invariant2UnreferencedIsSweptAfterAnHour) {
  const auto record = make_record(model::RecordKind::email, "{}");
  const StoredContent kept = put("kept");
  const StoredContent loose = put("loose");
  refer(record.id, {kept});
  EXPECT_EQ(sweep(), 0u);
  clock_.advance(std::chrono::minutes(59));
  EXPECT_EQ(sweep(), 0u);
  const StoredContent young = put("young");
  clock_.advance(std::chrono::minutes(2));
  EXPECT_EQ(sweep(), 1u);
  EXPECT_EQ(code_of(get(loose.sha256)), "no-content");
  EXPECT_EQ(get(kept.sha256).value_or("?"), "kept");
  EXPECT_EQ(get(young.sha256).value_or("?"), "young");
  refer(record.id, {young});
  clock_.advance(std::chrono::hours(2));
  EXPECT_EQ(sweep(), 1u);
  EXPECT_EQ(code_of(get(kept.sha256)), "no-content");
  EXPECT_EQ(get(young.sha256).value_or("?"), "young");
}

TEST_F(Content, WrittenAgainHasItsHourAgain) {
  const StoredContent stored = put("abc");
  clock_.advance(std::chrono::minutes(59));
  put("abc");
  clock_.advance(std::chrono::minutes(59));
  EXPECT_EQ(sweep(), 0u);
  clock_.advance(std::chrono::minutes(2));
  EXPECT_EQ(sweep(), 1u);
}

TEST_F(Content, SweepsWhatAKilledWriterLeftButNotWhatSomebodyWrites) {
  auto contents = ContentStore::open(*store_);
  auto writer = contents->create();
  ASSERT_TRUE(writer->write(std::vector<std::byte>(100'000)));
  const std::string left = folder_ + "/content/tmp/1-0";
  std::ofstream(left) << "half";
  // Their times are the file system's.
  clock_.advance(std::chrono::hours(24 * 365 * 30));
  EXPECT_EQ(sweep(), 1u);
  EXPECT_FALSE(fs::exists(left));
  EXPECT_TRUE(writer->finish());
}

TEST_F(Content, SweepsInManySteps) {
  for (int i = 0; i < 300; ++i) {
    const std::string name = std::string(61, 'a') + std::to_string(100 + i);
    fs::create_directories(folder_ + "/content/aa");
    std::ofstream(path_of(name)) << "x";
  }
  std::ofstream(folder_ + "/content/aa/not-ours") << "x";
  clock_.advance(std::chrono::hours(24 * 365 * 30));
  EXPECT_EQ(sweep(), 300u);
  EXPECT_TRUE(fs::exists(folder_ + "/content/aa/not-ours"));
}

TEST_F(Content, IsBackedUpByLinksAndCopiesAndMissingOnesAreNamed) {
  const auto record = make_record(model::RecordKind::email, "{}");
  const StoredContent first = put("first");
  const StoredContent second = put("second");
  put("loose");
  refer(record.id, {first, second});
  const std::string target = base_ + "/backup";
  ASSERT_TRUE(store_->backup(target));
  auto contents = ContentStore::open(*store_);
  auto done = contents->backup(target);
  ASSERT_TRUE(done) << done.error().describe();
  EXPECT_EQ(files_in(target + "/content"), 2u);
  auto copy = Store::open(target, clock_, random_);
  ASSERT_TRUE(copy);
  EXPECT_EQ(get(first.sha256, copy->get()).value_or("?"), "first");
  EXPECT_EQ(fs::hard_link_count(path_of(first.sha256)), 2u);
  // Once more is no error; a content that is gone is.
  EXPECT_TRUE(contents->backup(target));
  fs::remove_all(target + "/content");
  fs::remove(path_of(second.sha256));
  auto missing = contents->backup(target);
  ASSERT_EQ(code_of(missing), "content-missing");
  EXPECT_NE(missing.error().message.find(second.sha256), std::string::npos);
  EXPECT_EQ(get(first.sha256, copy->get()).value_or("?"), "first");
}

TEST_F(Content, GoesToAnotherFileSystemAsACopy) {
  struct stat here {};
  struct stat there {};
  if (::stat("/dev/shm", &there) != 0 || ::stat(base_.c_str(), &here) != 0 || here.st_dev == there.st_dev ||
      ::access("/dev/shm", W_OK) != 0)
    GTEST_SKIP() << "there is no second file system";
  std::string target = "/dev/shm/syncline-store-XXXXXX";
  ASSERT_NE(::mkdtemp(target.data()), nullptr);
  const auto record = make_record(model::RecordKind::email, "{}");
  const StoredContent stored = put(std::string(200'000, 'c'));
  refer(record.id, {stored});
  EXPECT_TRUE(store_->backup(target));
  auto contents = ContentStore::open(*store_);
  EXPECT_TRUE(contents->backup(target));
  EXPECT_EQ(fs::hard_link_count(path_of(stored.sha256)), 1u);
  {
    auto copy = Store::open(target, clock_, random_);
    ASSERT_TRUE(copy);
    EXPECT_EQ(get(stored.sha256, copy->get()).value_or("?"), std::string(200'000, 'c'));
  }
  fs::remove_all(target);
}

TEST_F(Content, Of150MegabytesIsStreamedInLittleMemory) {
  store_.reset();
  const int status = in_child([&] {
    auto store = Store::open(folder_, clock_, random_);
    if (!store) return 100;
    auto contents = ContentStore::open(**store);
    auto writer = contents->create();
    rusage before{};
    getrusage(RUSAGE_SELF, &before);
    std::vector<std::byte> piece(64 << 10);
    for (int i = 0; i < 2400; ++i) {
      piece[0] = static_cast<std::byte>(i);
      if (!writer->write(piece)) return 101;
    }
    auto stored = writer->finish();
    if (!stored || stored->octets != std::uint64_t{2400} * piece.size()) return 102;
    auto reader = contents->open_content(stored->sha256);
    if (!reader || reader->size() != stored->octets) return 103;
    std::uint64_t total = 0;
    for (;;) {
      auto count = reader->read(piece);
      if (!count) return 104;
      if (*count == 0) break;
      total += *count;
    }
    if (total != stored->octets) return 105;
    rusage after{};
    getrusage(RUSAGE_SELF, &after);
    return static_cast<int>((after.ru_maxrss - before.ru_maxrss) / 1024);
  });
  EXPECT_LT(status, 8) << "megabytes, or a step that failed";
}

}  // namespace
}  // namespace syncline::store
