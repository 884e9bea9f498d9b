/// The registry of all commands. A new command is a type that conforms to `Command`, and an entry in `all`.
package enum Registry {
    package static let all: [any Command.Type] = [
        OpenCommand.self, CloseCommand.self, UseCommand.self, InfoCommand.self, TensorsCommand.self,
        StatsCommand.self, SpectrumCommand.self, VerifyCommand.self, SaveCommand.self, LoadCommand.self,
        TokensCommand.self, NextCommand.self, LossCommand.self, GenerateCommand.self, LensCommand.self,
        AttributeCommand.self,
        EvaluateCommand.self,
        AttentionCommand.self,
        PromptsCommand.self, CaptureCommand.self, PointsCommand.self, ManifoldCommand.self, PCACommand.self,
        NeighboursCommand.self, TangentCommand.self, CompareCommand.self, DiffCommand.self, PathCommand.self,
        SeriesCommand.self, SenseCommand.self, BasinCommand.self, NormsCommand.self, MergeCommand.self,
        ClaimsCommand.self,
        AblateCommand.self, SteerCommand.self, EditsCommand.self, EffectCommand.self, CurveCommand.self,
        PatchCommand.self,
        DirectionCommand.self, SelectCommand.self, SubspaceCommand.self, CombineCommand.self, AnglesCommand.self,
        ProjectCommand.self, ContainCommand.self, FoldCommand.self,
        ListCommand.self, PrintCommand.self, PlotCommand.self, DeleteCommand.self, RenameCommand.self,
        SetCommand.self, ShowCommand.self, LetCommand.self, ModeCommand.self, TimerCommand.self,
        SourceCommand.self, ReplayCommand.self, ExpectCommand.self, RecordCommand.self, OutputCommand.self,
        OnceCommand.self, HistoryCommand.self,
        HelpCommand.self, AproposCommand.self, ExitCommand.self,
    ]

    package static let verbs: [String] = all.map { $0.verb }

    package static func find(_ verb: String) -> (any Command.Type)? { all.first { $0.verb == verb } }
}
