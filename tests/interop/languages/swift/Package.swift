// swift-tools-version:5.9
import PackageDescription

let package = Package(
    name: "scenario",
    dependencies: [
        .package(url: "https://github.com/swift-server/RediStack.git", from: "1.6.0")
    ],
    targets: [
        .executableTarget(
            name: "Scenario",
            dependencies: [.product(name: "RediStack", package: "RediStack")]
        )
    ]
)
