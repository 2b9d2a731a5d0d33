// SPDX-License-Identifier: GPL-3.0-or-later
#include "write_bench.hpp"

#include <algorithm>
#include <cstring>

#include "auth/basic.hpp"

namespace syncline::ews::testing {
namespace {

class MemorySource final : public sync::ContentSource {
 public:
  explicit MemorySource(std::string octets) : octets_(std::move(octets)) {}
  std::uint64_t size() const override { return octets_.size(); }
  Result<std::size_t> read(std::span<std::byte> buffer) override {
    const std::size_t count = std::min(buffer.size(), octets_.size() - at_);
    std::memcpy(buffer.data(), octets_.data() + at_, count);
    at_ += count;
    return count;
  }
  Result<void> rewind() override {
    at_ = 0;
    return {};
  }

 private:
  std::string octets_;
  std::size_t at_ = 0;
};

bool is_volatile(std::string_view property) {
  for (const std::string_view name : {"ItemId",
                                      "ParentFolderId",
                                      "DateTimeCreated",
                                      "LastModifiedTime",
                                      "DateTimeReceived",
                                      "DateTimeSent",
                                      "DateTimeStamp",
                                      "InternetMessageId",
                                      "ConversationId",
                                      "ConversationIndex",
                                      "InstanceKey",
                                      "UID",
                                      "AssociatedCalendarItemId",
                                      "References",
                                      "EffectiveRights",
                                      "AttachmentId",
                                      "Attachments",
                                      "FirstOccurrence",
                                      "LastOccurrence",
                                      "ModifiedOccurrences/Occurrence/ItemId",
                                      "ReminderNextTime",
                                      "WebClientReadFormQueryString",
                                      "WebClientEditFormQueryString",
                                      "SearchKey",
                                      "ExtendedProperty",
                                      "AppointmentReplyTime",
                                      "ChangeCount",
                                      "StoreEntryId",
                                      "Size",
                                      "MimeContent"})
    if (property.starts_with(name)) return true;
  return property.find("ItemId") != std::string_view::npos;
}

}  // namespace

WriteBench::WriteBench(bool checks_schema)
    : exchange(world, {.schema_folder = checks_schema ? std::string(SYNCLINE_SOURCE_DIR) + "/wsdl" : ""}) {
  start_process();
}

std::unique_ptr<EwsClient> WriteBench::client_of(const std::string& address) {
  ClientSettings settings;
  settings.url = net::parse_url(exchange.url()).value();
  settings.authenticator =
      auth::make_basic(
          {.user = address, .password = Secret{exchange_sim::testing::SimulatedExchange::password}})
          .value();
  return std::make_unique<EwsClient>(world.environment(), *http_,
                                     std::make_shared<CredentialBudgets>(world.environment()),
                                     std::move(settings));
}

void WriteBench::start_process() {
  driver_.reset();
  client_.reset();
  http_ = net::make_http_client(world.environment()).value();
  client_ = client_of(anna);
  driver_ =
      std::make_unique<EwsDriver>(*client_, DriverSettings{.mailbox = anna, .time_zone = "Europe/Berlin"});
}

std::string WriteBench::foreign_meeting() {
  const auto berts = client_of(bert);
  Item item{.kind = ItemKind::calendar_item, .subject = "Theirs"};
  CalendarPart& calendar = item.calendar.get_or_make();
  calendar.start = DateTime::parse("2026-03-21T11:00:00Z");
  calendar.end = DateTime::parse("2026-03-21T12:00:00Z");
  calendar.required_attendees.push_back({.mailbox = {.address = anna}});
  CreateItemRequest request{.items = {}};
  request.send_meeting_invitations = SendInvitations::send_to_all_and_save_copy;
  request.items.emplace_back(std::move(item));
  EXPECT_TRUE(run(berts->call(std::move(request))));
  return service().list(anna, "calendar").value().back().id;
}

Result<sync::Applied> WriteBench::apply_once(const sync::WriteOrder& order, MemoryProgress& progress) {
  const sync::OpenContent open =
      [this](std::string_view sha256) -> Result<std::unique_ptr<sync::ContentSource>> {
    const auto found = content_.find(std::string(sha256));
    if (found == content_.end()) return fail(ErrorDomain::local, "no-content", std::string(sha256));
    return std::make_unique<MemorySource>(found->second);
  };
  return run(driver_->apply(order, progress, open));
}

Result<sync::Applied> WriteBench::apply(const sync::WriteOrder& order, MemoryProgress& progress) {
  Result<sync::Applied> applied;
  for (int attempt = 0; attempt < 12; ++attempt) {
    applied = apply_once(order, progress);
    if (applied) return applied;
    const Error& error = applied.error();
    if (error.code == "killed") {
      start_process();
      continue;
    }
    const bool passing = error.retry == RetryClass::after || error.retry == RetryClass::now;
    if (!passing || error.code == "conflict") return applied;
    world.run_for(error.retry_after.value_or(std::chrono::milliseconds(5'000)));
  }
  return applied;
}

Result<sync::Applied> WriteBench::apply(const sync::WriteOrder& order) {
  MemoryProgress progress(world.environment().clock);
  return apply(order, progress);
}

sync::RemoteItem WriteBench::read(model::RecordKind kind, const std::string& id) {
  auto items = run(driver_->read(kind, {id}, true));
  if (!items || !items->front()) {
    ADD_FAILURE() << (items ? items->front().error() : items.error()).describe();
    return {};
  }
  return std::move(*items->front());
}

sync::WriteOrder WriteBench::create(model::RecordKind kind, std::string_view json) {
  return {.what = sync::WriteOrder::What::create,
          .operation_id = "op-" + std::to_string(++orders_),
          .kind = kind,
          .fields = fields(json)};
}

sync::WriteOrder WriteBench::update(model::RecordKind kind, const std::string& id, std::string_view json) {
  const sync::RemoteItem now = read(kind, id);
  return {.what = sync::WriteOrder::What::update,
          .operation_id = "op-" + std::to_string(++orders_),
          .kind = kind,
          .item = now.ref,
          .fields = fields(json),
          .base = now.fields};
}

sync::WriteOrder WriteBench::remove(model::RecordKind kind, const std::string& id) {
  sync::WriteOrder order = update(kind, id, "{}");
  order.what = sync::WriteOrder::What::remove;
  return order;
}

sync::WriteOrder WriteBench::send(std::string_view json) {
  sync::WriteOrder order = create(model::RecordKind::email, json);
  order.what = sync::WriteOrder::What::send;
  return order;
}

std::string WriteBench::made(const sync::WriteOrder& order) {
  auto applied = apply(order);
  if (!applied) ADD_FAILURE() << applied.error().describe();
  return applied ? applied->item.id : std::string();
}

void WriteBench::before(const std::string& operation, std::function<void()> happening, bool loses_reply) {
  // The request is held back for a while; what is to happen, happens in the meantime.
  exchange_sim::FaultRule held;
  held.operation = operation;
  held.action = exchange_sim::Action::delay;
  held.wait = std::chrono::milliseconds(2'000);
  held.times = 1;
  exchange.fault(operation, held);
  if (loses_reply) {
    exchange_sim::FaultRule lost;
    lost.operation = operation;
    lost.action = exchange_sim::Action::abort_after;
    lost.times = 1;
    exchange.sim().faults().add(std::move(lost));
  }
  world.spawn(
      [](WriteBench& bench, std::string name, std::function<void()> what) -> net::asio::awaitable<void> {
        const auto& rules = bench.exchange.sim().faults();
        for (int i = 0; i < 1000; ++i) {
          const bool fired = std::ranges::any_of(rules.rules(), [&](const exchange_sim::FaultRule& rule) {
            return rule.operation == name && rule.fired > 0;
          });
          if (fired) break;
          static_cast<void>(co_await bench.world.sleep(std::chrono::milliseconds(100)));
        }
        what();
      }(*this, operation, std::move(happening)));
}

std::map<std::string, int> WriteBench::mails() {
  std::map<std::string, int> sums;
  for (const exchange_sim::SentMail& mail : service().sent_mail(anna))
    ++sums[std::string(exchange_sim::to_string(mail.reason)) + " to " + mail.to];
  return sums;
}

std::map<std::string, std::vector<std::string>> WriteBench::contents() {
  std::map<std::string, std::vector<std::string>> all;
  for (const char* address : {anna, bert}) {
    for (const auto& [folder, items] : exchange.mailbox(address)) {
      std::vector<std::string>& texts = all[std::string(address) + "/" + folder];
      for (const auto& item : items) {
        std::string text = item.element + ":";
        for (const auto& [name, value] : item.properties)
          if (!is_volatile(name)) text += " " + name + "=" + value + ";";
        for (const auto& [name, octets] : item.attachments) text += " attached " + name + "=" + octets + ";";
        texts.push_back(std::move(text));
      }
      std::sort(texts.begin(), texts.end());
    }
  }
  return all;
}

}  // namespace syncline::ews::testing
