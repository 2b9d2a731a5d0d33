// SPDX-License-Identifier: GPL-3.0-or-later
// Our EWS client as a whole process: reads from a server what it is told to, and prints what that cost as a
// JSON line.
//   bench_ews_client URL USER WORKLOAD     the password comes on standard input
// Workloads: ids (SyncFolderItems, IdOnly), metadata (GetItem of everything in the Inbox), mime (every
// message's MIME to a sink), attachment SIZE (one of SIZE octets up and down).
#include <sys/resource.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>

#include "auth/basic.hpp"
#include "base/text.hpp"
#include "ews/client/bulk.hpp"
#include "ews/client/items.hpp"
#include "net/system_environment.hpp"

namespace {

using namespace syncline;

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

long peak_kilobytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

/// Counts and forgets.
class CountingSink final : public net::Sink {
 public:
  net::Async<void> write(std::span<const std::byte> octets) override {
    octets_ += octets.size();
    co_return Result<void>{};
  }
  std::uint64_t octets() const noexcept { return octets_; }

 private:
  std::uint64_t octets_ = 0;
};

/// So many octets, made when they are asked for.
class MadeUpSource final : public net::Source {
 public:
  explicit MadeUpSource(std::uint64_t size) : size_(size) {}
  net::Async<std::size_t> read(std::span<std::byte> buffer) override {
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), size_ - position_));
    for (std::size_t i = 0; i < count; ++i) buffer[i] = static_cast<std::byte>((position_ + i) * 31);
    position_ += count;
    co_return count;
  }
  Result<void> rewind() override {
    position_ = 0;
    return {};
  }
  std::optional<std::uint64_t> size() const override { return size_; }

 private:
  std::uint64_t size_;
  std::uint64_t position_ = 0;
};

struct Work {
  std::uint64_t items = 0;
  std::uint64_t octets = 0;
};

net::Async<std::vector<ews::ItemRef>> ids_of_inbox(ews::EwsClient& client) {
  std::vector<ews::ItemRef> ids;
  std::optional<std::string> state;
  for (bool last = false; !last;) {
    ews::SyncFolderItemsRequest request{.folder = ews::DistinguishedFolderId{.name = "inbox"},
                                        .sync_state = state};
    auto reply = co_await client.call(std::move(request));
    if (!reply) co_return fail(std::move(reply.error()));
    auto feed = std::move(reply->messages.at(0)).result();
    if (!feed) co_return fail(std::move(feed.error()));
    for (auto& entry : feed->changes) ids.emplace_back(std::move(entry.item_id));
    state = std::move(feed->sync_state);
    last = feed->includes_last_item_in_range.value_or(true);
  }
  co_return ids;
}

ews::ItemShape metadata_shape() {
  ews::ItemShape shape{.base = ews::BaseShape::id_only};
  for (const char* uri : {"item:Subject",
                          "item:DateTimeReceived",
                          "item:Size",
                          "item:Importance",
                          "item:Sensitivity",
                          "item:HasAttachments",
                          "item:Categories",
                          "item:ItemClass",
                          "item:ParentFolderId",
                          "item:DateTimeSent",
                          "item:ConversationId",
                          "item:InReplyTo",
                          "message:From",
                          "message:Sender",
                          "message:ToRecipients",
                          "message:CcRecipients",
                          "message:InternetMessageId",
                          "message:IsRead",
                          "message:References",
                          "message:ConversationIndex"})
    shape.additional.emplace_back(ews::FieldUri{uri});
  return shape;
}

net::Async<Work> read_metadata(ews::EwsClient& client) {
  auto ids = co_await ids_of_inbox(client);
  if (!ids) co_return fail(std::move(ids.error()));
  ews::ReadPolicy policy;
  policy.batch.first = 100;
  policy.batch.largest = 100;
  ews::ItemReader reader(client, policy);
  Work work;
  ews::ItemShape shape = metadata_shape();
  auto items = co_await reader.get(std::move(*ids), std::move(shape));
  if (!items) co_return fail(std::move(items.error()));
  for (auto& item : *items) {
    if (!item) co_return fail(std::move(item.error()));
    ++work.items;
  }
  co_return work;
}

net::Async<Work> read_mime(ews::EwsClient& client) {
  auto ids = co_await ids_of_inbox(client);
  if (!ids) co_return fail(std::move(ids.error()));
  Work work;
  for (ews::ItemRef& id : *ids) {
    CountingSink sink;
    const ews::ItemShape shape;
    auto mime = co_await ews::download_mime(client, std::move(id), shape, sink, std::uint64_t{1} << 30);
    if (!mime) co_return fail(std::move(mime.error()));
    ++work.items;
    work.octets += sink.octets();
  }
  co_return work;
}

net::Async<Work> move_attachment(ews::EwsClient& client, std::uint64_t size) {
  ews::Item draft{.kind = ews::ItemKind::message};
  draft.subject = "benchmark";
  ews::CreateItemRequest create;
  create.saved_item_folder = ews::DistinguishedFolderId{.name = "drafts"};
  create.items.emplace_back(std::move(draft));
  create.message_disposition = ews::MessageDisposition::save_only;
  auto made = co_await client.call(std::move(create));
  if (!made) co_return fail(std::move(made.error()));
  auto items = std::move(made->messages.at(0)).result();
  if (!items) co_return fail(std::move(items.error()));
  const long before = peak_kilobytes();
  auto source = std::make_shared<MadeUpSource>(size);
  ews::Attachment attachment;
  attachment.name = "large.bin";
  auto uploaded = co_await ews::upload_attachment(client, *items->at(0).item_id, std::move(attachment),
                                                  std::move(source));
  if (!uploaded) co_return fail(std::move(uploaded.error()));
  CountingSink sink;
  auto downloaded = co_await ews::download_attachment(client, uploaded->id.id, sink, std::uint64_t{1} << 31);
  if (!downloaded) co_return fail(std::move(downloaded.error()));
  std::fprintf(stderr, "growth: %ld kB\n", peak_kilobytes() - before);
  co_return Work{.items = 1, .octets = sink.octets() * 2};
}

net::Async<Work> read_ids(ews::EwsClient& client) {
  auto ids = co_await ids_of_inbox(client);
  if (!ids) co_return fail(std::move(ids.error()));
  co_return Work{.items = ids->size(), .octets = 0};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) {
    std::fprintf(stderr, "usage: bench_ews_client URL USER ids|metadata|mime|attachment [SIZE] < PASSWORD\n");
    return 2;
  }
  std::string password;
  std::getline(std::cin, password);
  net::asio::io_context context;
  const auto system = net::system_environment(context.get_executor()).value();
  net::Environment& environment = system->get();
  const auto http = net::make_http_client(environment).value();
  ews::ClientSettings settings;
  settings.url = net::parse_url(argv[1]).value();
  settings.authenticator =
      auth::make_basic({.user = argv[2], .password = Secret(std::move(password))}, true).value();
  settings.request_octets = std::uint64_t{256} << 20;
  ews::EwsClient client(environment, *http, std::make_shared<ews::CredentialBudgets>(environment), settings);

  const std::string_view workload = argv[3];
  const double before = cpu_seconds();
  Result<Work> done = fail(ErrorDomain::input, "no-such-workload", "no such workload");
  const auto run = [&](net::Async<Work> work) {
    boost::asio::co_spawn(context, std::move(work), [&](std::exception_ptr problem, Result<Work> result) {
      if (problem) std::rethrow_exception(problem);
      done = std::move(result);
      context.stop();
    });
    context.run();
  };
  if (workload == "ids") run(read_ids(client));
  if (workload == "metadata") run(read_metadata(client));
  if (workload == "mime") run(read_mime(client));
  if (workload == "attachment")
    run(move_attachment(client, argc > 4 ? std::strtoull(argv[4], nullptr, 10) : std::uint64_t{150} << 20));
  if (!done) {
    std::fprintf(stderr, "%s\n", text::escape_for_display(done.error().describe()).c_str());
    return 1;
  }
  std::printf(R"({"items":%llu,"octets":%llu,"cpuSeconds":%.3f,"peakKilobytes":%ld})"
              "\n",
              static_cast<unsigned long long>(done->items), static_cast<unsigned long long>(done->octets),
              cpu_seconds() - before, peak_kilobytes());
  return 0;
}
