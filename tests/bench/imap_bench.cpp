// SPDX-License-Identifier: GPL-3.0-or-later
// Our IMAP client and driver as whole processes, for beside_mbsync.py. The password comes on standard input.
//   bench_imap raw    PORT CA-FILE USER FOLDER    every message into a file of its own, unparsed
//   bench_imap driver PORT CA-FILE USER FOLDER    pages, fields with bodies, and every message's octets
//   bench_imap again  PORT CA-FILE USER FOLDER    the driver over a mailbox it knows: FOLDER/cursor
// Prints one line of JSON: messages, octets, seconds, CPU seconds, peak memory.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <optional>

#include "auth/blocking_pool.hpp"
#include "net/system_environment.hpp"
#include "routing/imap/driver/imap_driver.hpp"
#include "tests/bench/process_cost.hpp"

namespace {

using namespace syncline;
namespace fs = std::filesystem;

struct Task {
  mail::Endpoint endpoint;
  imap::ConnectSettings connect;
  fs::path folder;
};

struct Done {
  std::uint64_t messages = 0;
  std::uint64_t octets = 0;
};

struct Close {
  void operator()(std::FILE* file) const noexcept { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, Close>;

File create(const fs::path& folder, std::uint64_t number) {
  return File(std::fopen((folder / std::to_string(number)).c_str(), "wb"));
}

unexpected<Error> cannot_write() {
  return fail(ErrorDomain::local, "cannot-write", "cannot write");
}

class Files final : public imap::ReplyHandler {
 public:
  explicit Files(fs::path folder) : folder_(std::move(folder)) {}
  Result<void> on_literal_start(const imap::StreamedLiteral&) override {
    file_ = create(folder_, done.messages++);
    return file_ == nullptr ? cannot_write() : Result<void>{};
  }
  Result<void> on_literal_data(std::string_view data) override {
    done.octets += data.size();
    return std::fwrite(data.data(), 1, data.size(), file_.get()) == data.size() ? Result<void>{}
                                                                                : cannot_write();
  }
  Result<void> on_literal_end() override {
    file_.reset();
    return {};
  }
  Done done;

 private:
  fs::path folder_;
  File file_;
};

class OneFile final : public sync::ContentSink {
 public:
  explicit OneFile(File file) : file_(std::move(file)) {}
  Result<void> write(std::span<const std::byte> octets) override {
    octets_ += octets.size();
    return std::fwrite(octets.data(), 1, octets.size(), file_.get()) == octets.size() ? Result<void>{}
                                                                                      : cannot_write();
  }
  std::uint64_t octets() const { return octets_; }

 private:
  File file_;
  std::uint64_t octets_ = 0;
};

net::Async<Done> raw(net::Environment& environment, Task task) {
  auto client = co_await imap::connect(environment, task.endpoint, task.connect);
  if (!client) co_return fail(std::move(client.error()));
  std::string inbox = "INBOX";
  auto selected = co_await (*client)->select(std::move(inbox));
  if (!selected) co_return fail(std::move(selected.error()));
  std::string all = "ALL";
  auto uids = co_await (*client)->search(std::move(all));
  if (!uids) co_return fail(std::move(uids.error()));
  Files files(task.folder);
  std::vector<imap::FetchBatch> batches = imap::Client::batches_of(*uids, 200, 16'000);
  const std::string items = "(UID BODY.PEEK[])";
  auto fetched = co_await (*client)->fetch(std::move(batches), items, files);
  if (!fetched) co_return fail(std::move(fetched.error()));
  static_cast<void>(co_await (*client)->log_out());
  co_return files.done;
}

net::Async<Done> through_driver(net::Environment& environment, Task task) {
  imap::DriverSettings settings;
  settings.endpoint = task.endpoint;
  settings.connect = task.connect;
  imap::ImapDriver driver(environment, settings);
  const sync::RemoteFolder inbox{.id = "INBOX", .name = "INBOX", .role = sync::FolderRole::inbox};
  std::string cursor;
  if (std::ifstream known(task.folder / "cursor"); known)
    cursor.assign(std::istreambuf_iterator<char>(known), {});
  Done done;
  for (bool last = false; !last;) {
    auto page = co_await driver.pull(inbox, cursor);
    if (!page) co_return fail(std::move(page.error()));
    last = page->last;
    cursor = page->cursor;
    std::vector<std::string> ids;
    for (const sync::FeedEntry& entry : page->entries) ids.push_back(entry.item.id);
    if (ids.empty()) continue;
    auto items = co_await driver.read(model::RecordKind::email, ids, true);
    if (!items) co_return fail(std::move(items.error()));
    for (const Result<sync::RemoteItem>& item : *items) {
      if (!item) co_return fail(item.error());
      OneFile file(create(task.folder, done.messages++));
      const std::string id = item->ref.id;
      auto fetched = co_await driver.fetch_mime(id, file, std::uint64_t{1} << 30);
      if (!fetched) co_return fail(std::move(fetched.error()));
      done.octets += file.octets();
    }
  }
  std::ofstream(task.folder / "cursor") << cursor;
  static_cast<void>(co_await driver.close());
  co_return done;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view what = argc > 1 ? argv[1] : "";
  if ((what != "raw" && what != "driver" && what != "again") || argc != 6) {
    std::fprintf(stderr, "usage: bench_imap raw|driver|again PORT CA-FILE USER FOLDER\n");
    return 2;
  }
  Task task{.endpoint = {}, .connect = {}, .folder = argv[5]};
  task.endpoint.host = "localhost";
  task.endpoint.port = static_cast<std::uint16_t>(std::strtoul(argv[2], nullptr, 10));
  task.endpoint.policy.ca_file = argv[3];
  std::string password;
  std::getline(std::cin, password);
  task.connect.sign_in.identity.user = argv[4];
  task.connect.sign_in.identity.password = Secret(std::move(password));
  task.connect.sign_in.policy.allowed = {"PLAIN"};
  task.connect.sign_in.blocking = std::make_shared<auth::BlockingPool>(1);

  const auto began = std::chrono::steady_clock::now();
  net::asio::io_context context(1);
  auto system = net::system_environment(context.get_executor());
  if (!system) {
    std::fprintf(stderr, "%s\n", system.error().describe().c_str());
    return 1;
  }
  std::optional<Result<Done>> outcome;
  const auto capture = [&](net::Async<Done> inner) -> net::asio::awaitable<void> {
    outcome.emplace(co_await std::move(inner));
    context.stop();
  };
  net::Environment& environment = (*system)->get();
  auto work = what == "raw" ? raw(environment, task) : through_driver(environment, task);
  net::asio::co_spawn(context, capture(std::move(work)), net::asio::detached);
  context.run();
  if (!outcome || !*outcome) {
    std::fprintf(stderr, "%s\n", outcome ? outcome->error().describe().c_str() : "nothing came of it");
    return 1;
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  std::printf(
      "{\"messages\":%llu,\"octets\":%llu,\"seconds\":%.3f,\"cpuSeconds\":%.3f,\"peakKilobytes\":%ld}\n",
      static_cast<unsigned long long>((*outcome)->messages),
      static_cast<unsigned long long>((*outcome)->octets), took.count(), bench::cpu_seconds(),
      bench::peak_kilobytes());
  return 0;
}
