// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The HTTP API below /api/v1 (docs/api.md, docs/openapi.json): finds a request's route, lets in whom the
// route is for, and has it answered.
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "admin/api/live.hpp"
#include "admin/api/rate_limit.hpp"
#include "net/http_server.hpp"

namespace syncline::admin::api {

inline constexpr std::string_view base_path = "/api/v1";

struct ApiSettings {
  RateLimit::Settings rate = {};
  /// Of requests without a good token, for each address that they come from.
  RateLimit::Settings failures = {.per_second = 5, .at_once = 100};
  std::size_t waiting_per_token = 16;  ///< long polls and event streams at the same time
  std::size_t waiting = 256;           ///< of all tokens
  /// Threads for the store; 0: everything on the server's own, for tests in virtual time.
  unsigned threads = 1;
  /// Told how long an answer took until it could be sent, of GET and HEAD or of another method; not of what
  /// waits for changes, nor of files.
  std::function<void(bool reads, std::chrono::nanoseconds took)> answered = nullptr;
};

class ApiServer {
 public:
  /// References must outlive it.
  ApiServer(net::Environment& environment, service::Organisation& organisation, Control control,
            ApiSettings settings = {});

  static bool is_for_api(std::string_view path) noexcept { return path.starts_with("/api/"); }
  net::asio::awaitable<void> handle(const net::ServerRequest& request, net::Responder& responder);
  /// How long the body of a request may be, by its header: as its route says, and little before a good token
  /// was seen.
  std::uint64_t body_octets(const net::ServerRequest& head);

 private:
  struct Matched {
    const Route* route = nullptr;
    std::vector<std::string> values;
    std::string allowed;  ///< methods that the path has; empty: there is no such path
  };
  using TokenPtr = std::shared_ptr<const store::ApiToken>;

  Matched match(std::string_view method, std::string_view path) const;
  Result<TokenPtr> authenticate(const net::ServerRequest& request);
  Result<std::shared_ptr<Call>> admit(const net::ServerRequest& request, Matched matched);
  Result<void> check_channel(const Route& route, const net::ServerRequest& request);
  net::asio::awaitable<void> converse(std::shared_ptr<Call> call, net::Responder& responder);

  struct Entry {
    const Route* route;
    std::vector<std::string_view> segments;
  };
  net::Environment& environment_;
  service::Organisation& organisation_;
  Control control_;
  ApiSettings settings_;
  std::vector<Entry> entries_;
  RateLimit rate_;
  RateLimit failures_;
  /// Who waits for changes. A request that is cut off with the server may end after it.
  struct Waiting {
    std::map<store::ApiTokenId, std::size_t> by_token;
    std::size_t all = 0;
  };
  std::shared_ptr<Waiting> waiting_ = std::make_shared<Waiting>();
  auth::BlockingPool pool_;
  Live live_;
};

}  // namespace syncline::admin::api
