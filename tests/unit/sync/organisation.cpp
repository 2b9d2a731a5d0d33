// SPDX-License-Identifier: GPL-3.0-or-later
#include "organisation.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/json/serialize.hpp>
#include <filesystem>

#include "store/configuration.hpp"
#include "store/journal.hpp"
#include "store/links.hpp"
#include "store/records.hpp"

namespace syncline::sync::testing {
namespace {

namespace json = boost::json;

/// Members in the order of their names, all the way down.
json::value sorted(const json::value& value) {
  if (const json::object* object = value.if_object()) {
    std::vector<std::string> names;
    for (const auto& member : *object) names.emplace_back(member.key());
    std::sort(names.begin(), names.end());
    json::object out;
    for (const std::string& name : names) out[name] = sorted(object->at(name));
    return out;
  }
  if (const json::array* array = value.if_array()) {
    json::array out;
    for (const json::value& element : *array) out.push_back(sorted(element));
    return out;
  }
  return value;
}

std::string joined(std::vector<std::string> lines) {
  std::sort(lines.begin(), lines.end());
  std::string all;
  for (const std::string& line : lines) all += line + "\n";
  return all;
}

/// Of fields, what does not depend on the run: ids made by chance are left out.
json::object comparable(model::Fields fields) {
  for (const char* name : {"internetMessageId", "fingerprint", "regarding", "parties", "trackingToken"})
    fields.erase(name);
  for (auto member = fields.begin(); member != fields.end();)
    member = member->value().is_null() ? fields.erase(member) : member + 1;
  return fields;
}

}  // namespace

Result<void> StopAt::stop(std::string_view what) {
  stopped_ = true;
  return fail(ErrorDomain::local, "stopped", "stopped at " + std::string(what));
}

Result<void> StopAt::before(std::string_view what) {
  if (stopped_) return stop(what);
  if (moment_ == Moment::before && seen_ == nth_) return stop(what);
  return {};
}

Result<void> StopAt::after(std::string_view what) {
  if (moment_ == Moment::after && seen_++ == nth_) return stop(what);
  if (moment_ == Moment::before) ++seen_;
  return {};
}

ScratchFolder::ScratchFolder() {
  std::string pattern =
      std::filesystem::exists("/dev/shm") ? "/dev/shm/syncline.XXXXXX" : "/tmp/syncline.XXXXXX";
  path_ = mkdtemp(pattern.data());
}
ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

Organisation::Organisation(ManualClock& clock, MemoryServer& server, std::uint64_t seed)
    : clock_(clock), server_(server), random_(seed) {
  store_ = store::Store::open(folder_.path(), clock_, random_, {.create = true}).value();
  content_ = store::ContentStore::open(*store_).value();
  settings.mailbox =
      store_
          ->write<store::MailboxId>([&](store::Transaction& transaction) -> Result<store::MailboxId> {
            auto profile = store::put_profile(transaction, {.name = "memory", .json = "{}"});
            if (!profile) return fail(std::move(profile.error()));
            return store::put_mailbox(transaction, {.address = server_.address(),
                                                    .profile = *profile,
                                                    .enabled = true,
                                                    .json = "{}",
                                                    .state = "{}"});
          })
          .value();
  settings.address = server_.address();
  settings.owner = server_.address();
  settings.mail_in = settings.mail_out = settings.appointments_contacts_tasks = true;
  settings.organisation_name = "Test";
  model::SyncPolicy& sync = settings.policies.sync;
  sync.adopt_contacts = sync.adopt_tasks = sync.adopt_appointments = model::Adoption::all;
  sync.send_contacts = sync.send_tasks =
      sync.send_appointments = {{.kind = model::OutboundFilter::Kind::owner}};
  sync.deleted_in_exchange = sync.deleted_in_record = model::DeleteRule::remove;
  settings.policies.mail.track = model::MailFilter::all;
}

void Organisation::reopen(store::DurableWrites* durable_writes) {
  content_.reset();
  store_.reset();
  store_ = store::Store::open(folder_.path(), clock_, random_, {.durable_writes = durable_writes}).value();
  content_ = store::ContentStore::open(*store_).value();
}

Result<MailboxSummary> Organisation::run(Fault fault) {
  boost::asio::io_context context;
  MemoryDriver driver(server_, clock_, std::move(fault));
  const Surroundings surroundings{
      .clock = clock_, .random = random_, .sleep = [this](std::chrono::milliseconds span) -> Async<void> {
        clock_.advance(span);
        co_return Result<void>{};
      }};
  std::optional<Result<MailboxSummary>> outcome;
  const auto work = [&]() -> boost::asio::awaitable<void> {
    outcome.emplace(co_await run_mailbox(surroundings, *store_, *content_, driver, settings, options));
  };
  boost::asio::co_spawn(context, work(), [](const std::exception_ptr& thrown) {
    if (thrown) std::rethrow_exception(thrown);
  });
  context.run();
  return std::move(*outcome);
}

MailboxSummary Organisation::must_run(Fault fault) {
  auto summary = run(std::move(fault));
  if (!summary) {
    ADD_FAILURE() << summary.error().describe();
    return {};
  }
  return *summary;
}

model::Record Organisation::add(model::RecordKind kind, model::Fields fields) {
  return store_
      ->write<model::Record>([&](store::Transaction& transaction) {
        return store::insert_record(transaction,
                                    {.kind = kind, .owner = settings.owner, .fields = std::move(fields)});
      })
      .value();
}

model::Record Organisation::edit(model::RecordId id, const model::Fields& changes) {
  return store_
      ->write<model::Record>([&](store::Transaction& transaction) -> Result<model::Record> {
        auto record = store::find_record(transaction, id);
        if (!record) return fail(std::move(record.error()));
        if (!*record) return fail(ErrorDomain::local, "no-record", "");
        for (const auto& [name, value] : changes) (*record)->fields[name] = value;
        return store::update_record(transaction, std::move(**record));
      })
      .value();
}

void Organisation::remove(model::RecordId id) {
  auto done = store_->write<bool>([&](store::Transaction& transaction) -> Result<bool> {
    auto record = store::find_record(transaction, id);
    if (!record) return fail(std::move(record.error()));
    (*record)->deleted = true;
    auto updated = store::update_record(transaction, std::move(**record));
    if (!updated) return fail(std::move(updated.error()));
    return true;
  });
  EXPECT_TRUE(done);
}

std::vector<model::Record> Organisation::records(model::RecordKind kind, bool deleted_too) {
  return store_
      ->read<std::vector<model::Record>>([&](store::Transaction& transaction) {
        return store::list_records(transaction, {.kind = kind, .deleted_too = deleted_too, .most = 100'000});
      })
      .value();
}

model::Record Organisation::only_record(model::RecordKind kind) {
  auto all = records(kind);
  EXPECT_EQ(all.size(), 1u);
  return all.empty() ? model::Record{} : all.front();
}

std::vector<std::string> Organisation::journal(const std::string& event) {
  auto entries = store_
                     ->read<std::vector<store::JournalEntry>>([&](store::Transaction& transaction) {
                       return store::list_journal(transaction, {.event = event, .most = 100'000});
                     })
                     .value();
  std::vector<std::string> reasons;
  for (const store::JournalEntry& entry : entries) reasons.push_back(entry.reason);
  return reasons;
}

std::string Organisation::dump() {
  std::vector<std::string> lines;
  for (const model::RecordKind kind : model::record_kinds)
    for (const model::Record& record : records(kind, true)) {
      auto links = store_
                       ->read<std::vector<store::Link>>([&](store::Transaction& transaction) {
                         return store::links_of_record(transaction, record.id);
                       })
                       .value();
      std::string line = std::string(to_string(kind)) + (record.deleted ? " deleted " : " ") +
                         json::serialize(sorted(comparable(record.fields)));
      for (const store::Link& link : links)
        line += " [" + std::string(to_string(link.state)) + " " + link.folder + "]";
      lines.push_back(std::move(line));
    }
  return joined(std::move(lines));
}

std::string dump(const MemoryServer& server) {
  std::vector<std::string> lines;
  for (const RemoteFolder& folder : server.folders())
    for (const MemoryItem* item : server.in(folder.id))
      lines.push_back(folder.id + " " + json::serialize(sorted(comparable(item->fields))));
  return joined(std::move(lines));
}

}  // namespace syncline::sync::testing
