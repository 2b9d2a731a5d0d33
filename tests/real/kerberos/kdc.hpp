// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// A real KDC for tests: MIT krb5kdc on a free loopback port, in a folder of its own.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

namespace syncline::testing {

/// A port that was free a moment ago, for TCP and UDP.
inline int free_port() {
  const int descriptor = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  int port = 0;
  if (bind(descriptor, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
      getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size) == 0) {
    port = ntohs(address.sin_port);
  }
  close(descriptor);
  return port;
}

inline bool accepts_connections(int port) {
  const int descriptor = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  const bool good = connect(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  close(descriptor);
  return good;
}

/// A KDC for realm EXAMPLE.COM with anna (password), service (client.keytab) and HTTP/mail.example.com
/// (server.keytab), for one suite; the process's environment leads GSSAPI to it.
class WithKdc : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    for (const char* program : {"/usr/sbin/krb5kdc", "/usr/sbin/kdb5_util", "/usr/sbin/kadmin.local"}) {
      if (access(program, X_OK) != 0) {
        missing_ = program;
        return;
      }
    }
    std::string name = (std::filesystem::temp_directory_path() / "syncline-kdc-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
    port_ = free_port();
    const std::string port = std::to_string(port_);
    std::ofstream(folder_ / "krb5.conf")
        << "[libdefaults]\n default_realm = EXAMPLE.COM\n dns_lookup_kdc = false\n dns_lookup_realm = false\n"
           " dns_canonicalize_hostname = false\n rdns = false\n udp_preference_limit = 1\n"
           "[realms]\n EXAMPLE.COM = {\n  kdc = 127.0.0.1:"
        << port
        << "\n }\n"
           "[domain_realm]\n .example.com = EXAMPLE.COM\n"
           "[logging]\n kdc = FILE:"
        << (folder_ / "kdc.log").string() << "\n";
    std::ofstream(folder_ / "kdc.conf")
        << "[kdcdefaults]\n kdc_listen = 127.0.0.1:" << port << "\n kdc_tcp_listen = 127.0.0.1:" << port
        << "\n[realms]\n EXAMPLE.COM = {\n  database_name = " << (folder_ / "principal").string()
        << "\n  key_stash_file = " << (folder_ / "stash").string()
        << "\n  acl_file = " << (folder_ / "acl").string()
        << "\n  supported_enctypes = aes256-cts-hmac-sha1-96:normal\n }\n";
    setenv("KRB5_CONFIG", (folder_ / "krb5.conf").c_str(), 1);
    setenv("KRB5_KDC_PROFILE", (folder_ / "kdc.conf").c_str(), 1);
    setenv("KRB5_KTNAME", ("FILE:" + (folder_ / "server.keytab").string()).c_str(), 1);
    setenv("KRB5CCNAME", ("FILE:" + (folder_ / "none").string()).c_str(), 1);
    setenv("KRB5RCACHENAME", "none:", 1);
    command("/usr/sbin/kdb5_util create -s -r EXAMPLE.COM -P master-key");
    admin("addprinc -pw \"correct horse\" anna");
    admin("addprinc -randkey HTTP/mail.example.com");
    admin("addprinc -randkey service");
    admin("ktadd -k " + (folder_ / "server.keytab").string() + " HTTP/mail.example.com");
    admin("ktadd -k " + (folder_ / "client.keytab").string() + " service");
    kdc_ = fork();
    if (kdc_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGTERM);  // also when the test is killed for taking too long
      execl("/usr/sbin/krb5kdc", "krb5kdc", "-n", "-P", (folder_ / "pid").c_str(), nullptr);
      _exit(127);
    }
    for (int i = 0; i < 600 && !accepts_connections(port_); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    ASSERT_TRUE(accepts_connections(port_)) << "krb5kdc does not listen";
  }

  static void TearDownTestSuite() {
    stop_kdc();
    if (!folder_.empty()) std::filesystem::remove_all(folder_);
    folder_.clear();
  }

  static void stop_kdc() {
    if (kdc_ <= 0) return;
    kill(kdc_, SIGTERM);
    waitpid(kdc_, nullptr, 0);
    kdc_ = 0;
  }

  static void command(const std::string& line) {
    const std::string quiet = line + " >>" + (folder_ / "setup.log").string() + " 2>&1";
    ASSERT_EQ(std::system(quiet.c_str()), 0) << line;
  }
  static void admin(const std::string& query) {
    std::ofstream(folder_ / "query") << query << "\n";
    command("/usr/sbin/kadmin.local -r EXAMPLE.COM <" + (folder_ / "query").string());
  }

  void SetUp() override {
    if (!missing_.empty()) GTEST_SKIP() << missing_ << " is not installed";
  }

  static inline std::filesystem::path folder_;
  static inline std::string missing_;
  static inline pid_t kdc_ = 0;
  static inline int port_ = 0;
};

}  // namespace syncline::testing
