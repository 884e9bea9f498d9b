@main
enum Nacre {
    static func main() {}
}
