// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// A small internet for Autodiscover: hosts with answers by path, DNS with SRV records, and a record of who
// was given credentials.
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "auth/bearer.hpp"
#include "auth/credentials.hpp"
#include "ews/autodiscover/discovery.hpp"
#include "tests/unit/auth/support.hpp"

namespace syncline::testing {

class World final : public net::Resolver {
 public:
  using Page = std::function<Result<net::HttpResponse>(const SeenRequest&)>;

  World() : http_([this](const SeenRequest& seen) { return serve(seen); }) {}

  /// `place`: "https://host/path", path up to the query; "https://host" for everything on it. The first that
  /// fits.
  void at(std::string place, Page page) { pages_.emplace_back(std::move(place), std::move(page)); }
  void at(std::string place, net::HttpResponse answer) {
    at(std::move(place), [answer](const SeenRequest&) { return answer; });
  }
  /// Answers those who sign in as `authorization` ("Basic …", "Bearer …"), challenges all others.
  void guarded(std::string place, std::string authorization, std::string challenge,
               net::HttpResponse answer) {
    at(std::move(place), [=](const SeenRequest& seen) -> Result<net::HttpResponse> {
      if (seen.headers.find("Authorization") == authorization) return answer;
      return response(401, {}, {{"WWW-Authenticate", challenge}});
    });
  }
  void srv(std::string name, std::string target, std::uint16_t port = 443) {
    srv_[name].push_back(net::SrvRecord{0, 0, port, std::move(target)});
  }

  ews::autodiscover::Discovery discover(std::string address,
                                        ews::autodiscover::DiscoverySettings settings = {}) {
    std::optional<ews::autodiscover::Discovery> result;
    net::asio::co_spawn(
        context,
        [](World& world, std::string wanted, ews::autodiscover::DiscoverySettings with,
           std::optional<ews::autodiscover::Discovery>& out) -> net::asio::awaitable<void> {
          out.emplace(co_await ews::autodiscover::discover(world.http_, world, world.clock, std::move(wanted),
                                                           std::move(with)));
        }(*this, std::move(address), std::move(settings), result),
        [](std::exception_ptr thrown) {
          if (thrown) std::rethrow_exception(thrown);
        });
    context.restart();
    context.run();
    return std::move(result.value());
  }

  net::Async<std::vector<std::string>> addresses(std::string) override {
    co_return std::vector<std::string>{};
  }
  net::Async<std::vector<std::string>> mx(std::string) override { co_return std::vector<std::string>{}; }
  net::Async<std::vector<net::SrvRecord>> srv(std::string name) override {
    const auto found = srv_.find(name);
    if (found == srv_.end()) co_return fail(ErrorDomain::net, "name-not-found", "no such name");
    co_return found->second;
  }

  /// Hosts that were sent an Authorization field.
  std::set<std::string> trusted_with_credentials() const {
    std::set<std::string> hosts;
    for (const SeenRequest& seen : http_.requests) {
      if (seen.headers.find("Authorization")) hosts.insert(seen.url.scheme + "://" + seen.url.host);
    }
    return hosts;
  }
  std::set<std::string> contacted() const {
    std::set<std::string> hosts;
    for (const SeenRequest& seen : http_.requests) hosts.insert(seen.url.scheme + "://" + seen.url.host);
    return hosts;
  }
  std::size_t requests() const { return http_.requests.size(); }
  const std::vector<SeenRequest>& log() const { return http_.requests; }

  net::asio::io_context context;
  ManualClock clock;

 private:
  Result<net::HttpResponse> serve(const SeenRequest& seen) {
    const std::string host = seen.url.scheme + "://" + seen.url.host;
    const std::string full = host + seen.url.target.substr(0, seen.url.target.find('?'));
    for (const auto& [place, page] : pages_) {
      if (place == full || place == host) return page(seen);
    }
    for (const auto& [place, page] : pages_) {
      if (place.starts_with(host + "/")) return response(404, "not here");
    }
    return fail(ErrorDomain::net, "name-not-found", seen.url.host + " does not exist");
  }

  std::vector<std::pair<std::string, Page>> pages_;
  std::map<std::string, std::vector<net::SrvRecord>> srv_;
  ScriptedHttpClient http_;
};

inline std::string soap_body(std::string_view code, std::string_view rest) {
  return "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Header><h:ServerVersionInfo "
         "xmlns:h=\"http://schemas.microsoft.com/exchange/2010/Autodiscover\"><h:MajorVersion>15</"
         "h:MajorVersion>"
         "<h:MinorVersion>2</h:MinorVersion><h:MajorBuildNumber>1118</"
         "h:MajorBuildNumber><h:MinorBuildNumber>7"
         "</h:MinorBuildNumber></h:ServerVersionInfo></s:Header><s:Body><GetUserSettingsResponseMessage "
         "xmlns=\"http://schemas.microsoft.com/exchange/2010/Autodiscover\"><Response><ErrorCode>NoError</"
         "ErrorCode>"
         "<UserResponses><UserResponse><ErrorCode>" +
         std::string(code) + "</ErrorCode><ErrorMessage>said</ErrorMessage>" + std::string(rest) +
         "</UserResponse></UserResponses></Response></GetUserSettingsResponseMessage></s:Body></s:Envelope>";
}

inline net::HttpResponse soap_settings(std::string_view external, std::string_view internal = "",
                                       std::string_view primary = "") {
  std::string settings = "<UserSettings>";
  const auto add = [&settings](std::string_view name, std::string_view value) {
    if (value.empty()) return;
    settings += "<UserSetting><Name>" + std::string(name) + "</Name><Value>" + std::string(value) +
                "</Value></UserSetting>";
  };
  add("ExternalEwsUrl", external);
  add("InternalEwsUrl", internal);
  add("AutoDiscoverSMTPAddress", primary);
  return response(200, soap_body("NoError", settings + "</UserSettings>"), {{"Content-Type", "text/xml"}});
}

inline net::HttpResponse soap_redirect(std::string_view code, std::string_view target) {
  return response(200, soap_body(code, "<RedirectTarget>" + std::string(target) + "</RedirectTarget>"));
}

inline net::HttpResponse pox_response(std::string_view inside) {
  return response(
      200,
      "<Autodiscover xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006\">"
      "<Response xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a\">" +
          std::string(inside) + "</Response></Autodiscover>");
}

inline net::HttpResponse redirect(std::string location, int status = 302) {
  return response(status, {}, {{"Location", std::move(location)}});
}

inline net::HttpResponse json_url(std::string_view url) {
  return response(200, "{\"Protocol\":\"EWS\",\"Url\":\"" + std::string(url) + "\"}");
}

/// user:secret by Basic alone.
inline std::shared_ptr<net::Authenticator> basic_user() {
  return auth::make_basic({"user", Secret(std::string_view("secret"))}).value();
}
inline const std::string basic_value = "Basic dXNlcjpzZWNyZXQ=";

inline std::shared_ptr<net::Authenticator> bearer_user() {
  return auth::make_bearer(auth::fixed_token(Secret(std::string_view("token"))).value());
}

}  // namespace syncline::testing
