// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/organisation_store.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/serialize.hpp>
#include <filesystem>

#include "store/configuration.hpp"
#include "store/journal.hpp"
#include "store/records.hpp"

namespace syncline::sync::testing {

namespace json = boost::json;

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

model::Fields comparable(model::Fields fields) {
  for (const char* name : {"internetMessageId", "fingerprint", "regarding", "parties", "trackingToken"})
    fields.erase(name);
  for (auto member = fields.begin(); member != fields.end();)
    member = member->value().is_null() ? fields.erase(member) : member + 1;
  return fields;
}

std::string field_text(const model::Fields& fields, std::string_view name) {
  const json::value* value = fields.if_contains(name);
  return value == nullptr ? "absent" : json::serialize(sorted(*value));
}

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

OrganisationStore::OrganisationStore(const Clock& clock, const std::string& address, std::uint64_t seed)
    : random_(seed), clock_(clock) {
  store_ = store::Store::open(folder_.path(), clock_, random_, {.create = true}).value();
  content_ = store::ContentStore::open(*store_).value();
  settings.mailbox =
      store_
          ->write<store::MailboxId>([&](store::Transaction& transaction) -> Result<store::MailboxId> {
            auto profile = store::put_profile(transaction, {.name = "test", .json = "{}"});
            if (!profile) return fail(std::move(profile.error()));
            return store::put_mailbox(
                transaction,
                {.address = address, .profile = *profile, .enabled = true, .json = "{}", .state = "{}"});
          })
          .value();
  settings.address = address;
  settings.owner = address;
  settings.mail_in = settings.mail_out = settings.appointments_contacts_tasks = true;
  settings.organisation_name = "Test";
  model::SyncPolicy& sync = settings.policies.sync;
  sync.adopt_contacts = sync.adopt_tasks = sync.adopt_appointments = model::Adoption::all;
  sync.send_contacts = sync.send_tasks =
      sync.send_appointments = {{.kind = model::OutboundFilter::Kind::owner}};
  sync.deleted_in_exchange = sync.deleted_in_record = model::DeleteRule::remove;
  settings.policies.mail.track = model::MailFilter::all;
}

void OrganisationStore::read_ahead() {
  options.first_page_items = 2;
  aside = [](std::function<Result<void>()> work) -> Async<void> {
    const auto executor = co_await boost::asio::this_coro::executor;
    co_await boost::asio::post(executor, boost::asio::use_awaitable);
    co_return work();
  };
}

void OrganisationStore::reopen(store::DurableWrites* durable_writes) {
  content_.reset();
  store_.reset();
  store_ = store::Store::open(folder_.path(), clock_, random_, {.durable_writes = durable_writes}).value();
  content_ = store::ContentStore::open(*store_).value();
}

model::Record OrganisationStore::add(model::RecordKind kind, model::Fields fields) {
  return store_
      ->write<model::Record>([&](store::Transaction& transaction) {
        return store::insert_record(transaction,
                                    {.kind = kind, .owner = settings.owner, .fields = std::move(fields)});
      })
      .value();
}

model::Record OrganisationStore::edit(model::RecordId id, const model::Fields& changes) {
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

void OrganisationStore::give_to(model::RecordId id, const std::string& owner) {
  const auto done = store_->write<bool>([&](store::Transaction& transaction) -> Result<bool> {
    auto record = store::find_record(transaction, id);
    if (!record) return fail(std::move(record.error()));
    (*record)->owner = owner;
    auto updated = store::update_record(transaction, std::move(**record));
    if (!updated) return fail(std::move(updated.error()));
    return true;
  });
  EXPECT_TRUE(done);
}

void OrganisationStore::remove(model::RecordId id) {
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

std::vector<model::Record> OrganisationStore::records(model::RecordKind kind, bool deleted_too) {
  return store_
      ->read<std::vector<model::Record>>([&](store::Transaction& transaction) {
        return store::list_records(transaction, {.kind = kind, .deleted_too = deleted_too, .most = 100'000});
      })
      .value();
}

model::Record OrganisationStore::only_record(model::RecordKind kind) {
  auto all = records(kind);
  EXPECT_EQ(all.size(), 1u);
  return all.empty() ? model::Record{} : all.front();
}

model::Record OrganisationStore::record(model::RecordId id) {
  auto found = store_
                   ->read<std::optional<model::Record>>([&](store::Transaction& transaction) {
                     return store::find_record(transaction, id, true);
                   })
                   .value();
  EXPECT_TRUE(found) << "no record " << id;
  return found.value_or(model::Record{});
}

std::vector<store::Link> OrganisationStore::links(model::RecordId record) {
  return store_
      ->read<std::vector<store::Link>>(
          [&](store::Transaction& transaction) { return store::links_of_record(transaction, record); })
      .value();
}

std::vector<std::string> OrganisationStore::journal(const std::string& event) {
  std::vector<std::string> reasons;
  for (const store::JournalEntry& entry : journal_entries(event)) reasons.push_back(entry.reason);
  return reasons;
}

std::vector<std::string> OrganisationStore::journal_texts(const std::string& event) {
  std::vector<std::string> texts;
  for (const store::JournalEntry& entry : journal_entries(event)) texts.push_back(entry.text);
  return texts;
}

std::vector<std::string> OrganisationStore::journal_details(const std::string& event) {
  std::vector<std::string> details;
  for (const store::JournalEntry& entry : journal_entries(event)) details.push_back(entry.detail);
  return details;
}

std::vector<store::JournalEntry> OrganisationStore::journal_entries(const std::string& event) {
  return store_
      ->read<std::vector<store::JournalEntry>>([&](store::Transaction& transaction) {
        return store::list_journal(transaction, {.event = event, .most = 100'000});
      })
      .value();
}

std::vector<std::string> OrganisationStore::alerts() {
  auto open = store_
                  ->read<std::vector<store::Alert>>(
                      [&](store::Transaction& transaction) { return store::list_alerts(transaction, true); })
                  .value();
  std::vector<std::string> codes;
  for (const store::Alert& alert : open) codes.push_back(alert.code);
  return codes;
}

std::string OrganisationStore::add_content(std::string_view octets) {
  auto writer = content_->create().value();
  EXPECT_TRUE(writer.write(std::as_bytes(std::span(octets.data(), octets.size()))));
  return writer.finish().value().sha256;
}

std::string OrganisationStore::content_of(std::string_view sha256) {
  auto reader = content_->open_content(sha256);
  if (!reader) {
    ADD_FAILURE() << reader.error().describe();
    return {};
  }
  std::string octets(reader->size(), '\0');
  std::size_t at = 0;
  while (at < octets.size()) {
    const std::size_t got =
        reader->read(std::as_writable_bytes(std::span(octets.data() + at, octets.size() - at))).value();
    if (got == 0) break;
    at += got;
  }
  return octets;
}

std::string OrganisationStore::dump(const std::function<std::string(const std::string&)>& folder_name,
                                    const std::function<model::Fields(model::Fields)>& lasting) {
  std::vector<std::string> lines;
  for (const model::RecordKind kind : model::record_kinds)
    for (const model::Record& one : records(kind, true)) {
      const model::Fields fields = comparable(lasting ? lasting(one.fields) : one.fields);
      std::string line =
          std::string(to_string(kind)) + (one.deleted ? " deleted " : " ") + json::serialize(sorted(fields));
      for (const store::Link& link : links(one.id))
        line += " [" + std::string(to_string(link.state)) + " " +
                (folder_name ? folder_name(link.folder) : link.folder) + "]";
      lines.push_back(std::move(line));
    }
  return joined(std::move(lines));
}

}  // namespace syncline::sync::testing
