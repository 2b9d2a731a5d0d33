// SPDX-License-Identifier: GPL-3.0-or-later
// Files of records: attachments, photos, messages as they came. In by a body, out as a stream.
#include "admin/api/contents.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "admin/api/call.hpp"
#include "admin/api/live.hpp"
#include "admin/api/visible_records.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "service/organisation/record_lines.hpp"
#include "store/content.hpp"

namespace syncline::admin::api {
namespace {

namespace json = boost::json;
namespace asio = net::asio;

constexpr std::string_view any_type = "application/octet-stream";
constexpr std::size_t piece_octets = 256 * 1024;

Result<Answer> put(Call& call) {
  auto contents = call.organisation().content();
  if (!contents) return fail(std::move(contents.error()));
  auto writer = (*contents)->create();
  if (!writer) return fail(std::move(writer.error()));
  if (auto written = writer->write(std::as_bytes(std::span(call.body()))); !written)
    return fail(std::move(written.error()));
  store::ContentBatch batch = (*contents)->batch();
  auto stored = batch.add(std::move(*writer));
  if (!stored) return fail(std::move(stored.error()));
  if (auto durable = batch.commit(); !durable) return fail(std::move(durable.error()));
  return json_answer(json::object{{"sha256", stored->sha256}, {"size", stored->octets}}, 201);
}

/// "type/subtype" of RFC 9110's tokens, nothing behind it: what a sender called a file goes into no field of
/// ours as it came.
bool is_media_type(std::string_view type) {
  const std::size_t slash = type.find('/');
  if (slash == std::string_view::npos || slash == 0 || slash + 1 == type.size() || type.size() > 100)
    return false;
  return std::all_of(type.begin(), type.end(), [&](const char& c) {
    const auto octet = static_cast<unsigned char>(c);
    return std::isalnum(octet) != 0 || c == '-' || c == '.' || c == '+' || c == '_' ||
           (c == '/' && &c == type.data() + slash);
  });
}

/// What a field says of the content; nullptr: it names another, or none.
const json::object* naming(const json::value& value, std::string_view sha256) {
  const json::object* const object = value.if_object();
  return object != nullptr && model::text_of(*object, "sha256") == sha256 ? object : nullptr;
}

/// The type of a content that a record's fields name; nullopt: they do not name it.
std::optional<std::string> type_in(const model::Fields& fields, std::string_view sha256) {
  for (const auto& [name, value] : fields) {
    const json::object* found = naming(value, sha256);
    if (const json::array* list = value.if_array())
      for (const json::value& one : *list)
        if (found == nullptr) found = naming(one, sha256);
    if (found == nullptr) continue;
    if (name == "mime") return "message/rfc822";
    const std::string_view type = model::text_of(*found, "contentType");
    return std::string(is_media_type(type) ? type : any_type);
  }
  return std::nullopt;
}

struct Wanted {
  store::ContentReader reader;
  std::string type;
};

Result<Wanted> find(Call& call) {
  auto id = call.id();
  if (!id) return fail(std::move(id.error()));
  const std::string sha256 = call.path("sha256");
  auto type = call.store().read<std::optional<std::string>>(
      [&](store::Transaction& transaction) -> Result<std::optional<std::string>> {
        auto visible = visible_records(transaction, call);
        if (!visible) return fail(std::move(visible.error()));
        auto record = visible->find(transaction, *id);
        if (!record) return fail(std::move(record.error()));
        if (!*record)
          return fail(ErrorDomain::input, "no-record",
                      fmt::format("There is no record {}", text::escape_for_display(call.path("id"))));
        return type_in((*record)->fields, sha256);
      });
  if (!type) return fail(std::move(type.error()));
  if (!*type) return fail(ErrorDomain::input, "not-found", "The record names no such content");
  auto contents = call.organisation().content();
  if (!contents) return fail(std::move(contents.error()));
  auto reader = (*contents)->open_content(sha256);
  if (!reader)
    return fail(ErrorDomain::local, "content-missing", "What the record names is gone from the store");
  return Wanted{.reader = std::move(*reader), .type = std::move(**type)};
}

asio::awaitable<void> get(Live& live, std::shared_ptr<Call> call, net::Responder& responder) {
  auto look = [call]() { return find(*call); };
  auto wanted = co_await live.pool.run(std::move(look));
  if (!wanted) {
    Result<Answer> refusal = fail(std::move(wanted.error()));
    co_await live.send(std::move(refusal), responder);
    co_return;
  }
  net::Headers headers;
  headers.set("Content-Type", wanted->type);
  // Whoever sent it says what it is: a browser is to save it, whatever that says.
  headers.set("Content-Disposition", "attachment");
  headers.set("X-Content-Type-Options", "nosniff");
  headers.set("Content-Security-Policy", "sandbox");
  headers.set("Cache-Control", "no-store");
  headers.set("ETag", '"' + call->path("sha256") + '"');
  auto begun = co_await responder.begin(200, std::move(headers));
  if (!begun) co_return;
  const auto reader = std::make_shared<store::ContentReader>(std::move(wanted->reader));
  bool is_over = call->request().method == "HEAD";
  while (!is_over) {
    // The answer is held in pieces: what a slow client has not taken yet stays in the file.
    auto read = [reader]() -> Result<std::string> {
      std::string piece(piece_octets, '\0');
      auto count = reader->read(std::as_writable_bytes(std::span(piece)));
      if (!count) return fail(std::move(count.error()));
      piece.resize(*count);
      return piece;
    };
    auto piece = co_await live.pool.run(std::move(read));
    if (!piece) {
      // Cut off: a client takes nothing for the whole that is not.
      log::error("api", piece.error().describe());
      responder.abort();
      co_return;
    }
    is_over = piece->empty();
    auto written = co_await responder.write(*piece);
    if (!written) co_return;
  }
  static_cast<void>(co_await responder.finish());
}

}  // namespace

void add_content_routes(std::vector<Route>& routes) {
  routes.push_back({.method = Method::post,
                    .path = "/contents",
                    .operation = "addContent",
                    .roles = applications,
                    .body = {any_type},
                    .body_octets = service::record_line_limit_octets,
                    .body_may_be_empty = true,
                    .answers = {201},
                    .changes_nothing = true,
                    .handler = put});
  routes.push_back(
      {.path = "/records/{id}/contents/{sha256}",
       .operation = "getRecordContent",
       .roles = applications | only(store::ApiRole::read_only) | only(store::ApiRole::mailbox_owner),
       .conversation = get});
}

}  // namespace syncline::admin::api
