// SPDX-License-Identifier: GPL-3.0-or-later
// A first sync as the store sees it: 100,000 e-mails in pages of 512, each with its record, link and line of
// the journal, each page with its cursor and committed with synchronous=FULL. CPU of the process per item.
#include <benchmark/benchmark.h>
#include <sys/resource.h>

#include <boost/json/parse.hpp>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "base/base64.hpp"
#include "store/configuration.hpp"
#include "store/cursors.hpp"
#include "store/journal.hpp"
#include "store/records.hpp"

namespace {

using namespace syncline;
using namespace syncline::store;

constexpr int page_items = 512;

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

std::string number(const char* format, unsigned long long value) {
  char text[64];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

/// A mail of 1.2 KB of fields with three people of some thousand.
model::Fields mail(SeededRandom& random, int index) {
  const auto person = [&] {
    const auto who = number("%04llu", random.below(3000));
    return boost::json::object{{"name", "Person " + who},
                               {"emailAddress", "person" + who + "@contoso.example"}};
  };
  model::Fields fields;
  fields["subject"] = "Re: offer " + std::to_string(index) + " for the second quarter";
  fields["internetMessageId"] = "<" + random.uuid() + "@mail.contoso.example>";
  fields["conversationIndex"] = base64_encode(random.uuid() + "xx");
  fields["from"] = person();
  fields["toRecipients"] = boost::json::array{person()};
  fields["ccRecipients"] = boost::json::array{person()};
  fields["dateTimeReceived"] = "2026-11-22T10:00:00Z";
  fields["dateTimeSent"] = "2026-11-22T09:59:58Z";
  fields["importance"] = "Normal";
  fields["sensitivity"] = "Normal";
  fields["categories"] = boost::json::array{};
  fields["isRead"] = true;
  fields["direction"] = "incoming";
  fields["statusCode"] = "received";
  fields["body"] = boost::json::object{{"type", "text"}, {"value", std::string(700, 'b') + " \"quoted\"\n"}};
  return fields;
}

void first_sync(benchmark::State& state) {
  const auto items = static_cast<int>(state.range(0));
  double cpu = 0;
  double megabytes = 0;
  for (auto _ : state) {
    std::string folder = (std::filesystem::temp_directory_path() / "syncline-bench-XXXXXX").string();
    if (!::mkdtemp(folder.data())) return state.SkipWithError("no folder");
    SeededRandom random(1);
    auto opened = Store::open(folder, system_clock(), random, {.create = true});
    if (!opened) return state.SkipWithError(opened.error().describe().c_str());
    Store& store = **opened;
    auto mailbox = store.write<MailboxId>([](Transaction& t) { return put_mailbox(t, {.address = "a@b"}); });
    const std::string prefix(100, 'A');
    for (int first = 0; first < items; first += page_items) {
      const int count = std::min(page_items, items - first);
      std::vector<model::Fields> page;
      std::vector<std::string> search_keys;
      for (int i = 0; i < count; ++i) {
        page.push_back(mail(random, first + i));
        search_keys.push_back(random.uuid());
      }
      const double before = cpu_seconds();
      auto written = store.write<bool>([&](Transaction& t) -> Result<bool> {
        for (int i = 0; i < count; ++i) {
          auto& fields = page[static_cast<std::size_t>(i)];
          auto record = insert_record(t, {.owner = "a@b", .fields = std::move(fields)});
          if (!record) return fail(record.error());
          // As servers give ids: those of a folder are alike and grow.
          Link link{
              .record = record->id,
              .mailbox = *mailbox,
              .folder = "inbox",
              .remote_id = prefix + number("%052llx", static_cast<unsigned long long>(first + i)),
              .remote_version = "CQAAABYAAAC" + number("%024llx", static_cast<unsigned long long>(i)),
              .search_key = search_keys[static_cast<std::size_t>(i)],
              .record_version = 1,
              // Of a message only what may still change is remembered as agreed.
              .base = {{"categories", record->fields["categories"]}, {"isRead", record->fields["isRead"]}}};
          const std::string item = link.remote_id;
          if (auto linked = insert_link(t, std::move(link)); !linked) return fail(linked.error());
          auto noted = append_journal(t, {.mailbox = *mailbox,
                                          .item = item,
                                          .record = record->id,
                                          .event = "tracked",
                                          .reason = "reply",
                                          .text = "a reply to a tracked message"});
          if (!noted) return fail(noted.error());
        }
        if (auto put = put_cursor(t, {.mailbox = *mailbox, .folder = "inbox", .text = std::to_string(first)});
            !put)
          return fail(put.error());
        return true;
      });
      cpu += cpu_seconds() - before;
      if (!written) return state.SkipWithError(written.error().describe().c_str());
    }
    opened->reset();
    megabytes = static_cast<double>(std::filesystem::file_size(folder + "/syncline.db")) / 1e6;
    std::filesystem::remove_all(folder);
  }
  const double written = static_cast<double>(items) * static_cast<double>(state.iterations());
  state.counters["cpu_us_per_item"] = cpu * 1e6 / written;
  state.counters["items_per_cpu_s"] = written / cpu;
  state.counters["db_MB"] = megabytes;
}
BENCHMARK(first_sync)->Arg(10'000)->Arg(100'000)->Iterations(1)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
